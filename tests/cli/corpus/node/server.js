// Serve the set-ups of one framework, each below a path of its own: `node server.js express`, then GET /well/items.
// A set-up is a function that returns an HTTP server. It does not listen: this file hands it the requests of its path.
const http = require("http");

const SET_UPS = require(`./${process.argv[2]}.js`);
const servers = {};

function take_path(request) {
  const [path, name] = request.url.match(/^\/([^/?]*)/);
  const server = servers[name];
  if (server && !server.sees_whole_path) {
    request.originalUrl = request.url; // as Express and Connect do for a mounted app
    request.url = request.url.slice(path.length) || "/";
  }
  return server;
}

const front = http.createServer((request, response) => {
  const server = take_path(request);
  if (server) server.emit("request", request, response);
  else response.writeHead(404).end();
});

front.on("upgrade", (request, socket, head) => {
  const server = take_path(request);
  if (server?.listenerCount("upgrade")) return server.emit("upgrade", request, socket, head);
  const response = new http.ServerResponse(request); // without a listener, Node treats the request as an ordinary one
  response.assignSocket(socket);
  response.shouldKeepAlive = false;
  response.on("finish", () => socket.end());
  server.emit("request", request, response);
});

front.listen(0, "127.0.0.1", async () => {
  const { port } = front.address();
  for (const [name, set_up] of Object.entries(SET_UPS)) servers[name] = await set_up(`/${name}`, port);
  console.log(port);
});
