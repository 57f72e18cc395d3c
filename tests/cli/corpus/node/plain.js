// Node's own http server, with headers that are set by hand, as in handlers of serverless platforms.
const http = require("http");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const METHODS = { "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS" };

const server = (handler) => () => http.createServer(handler);
const send = (response, headers, status = 200) => response.writeHead(status, headers).end(status === 204 ? undefined : "tea");
const always = (headers) => server((request, response) => send(response, { ...METHODS, ...headers(request) }, request.method === "OPTIONS" ? 204 : 200));
const with_origin = (value) => always(() => ({ "Access-Control-Allow-Origin": value }));

module.exports = {
  "well": always((request) => ({ ...(LIST.includes(request.headers.origin) && { "Access-Control-Allow-Origin": request.headers.origin }), Vary: "Origin" })),
  "star": with_origin("*"),
  "joined": with_origin(LIST.join(", ")),
  "printed": with_origin(JSON.stringify(LIST)),
  "empty": with_origin(process.env.ALLOWED_ORIGIN ?? ""),
  "object": with_origin(`${{}}`),
  "false": always((request) => ({ "Access-Control-Allow-Origin": LIST.slice(1).includes(request.headers.origin) })),
  "own-host": always((request) => ({ "Access-Control-Allow-Origin": `http://${request.headers.host}` })),
  "with-path": with_origin(`${PAGE}/dashboard`),
  "upper": with_origin("https://App.Example.com"),
  "with-port": with_origin(`${PAGE}:443`),
  "cookies": always((request) => ({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Credentials": "true", "Set-Cookie": "sid=1; HttpOnly; SameSite=Strict" })),
  "credentials-1": always(() => ({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Credentials": "1" })),
  "no-vary": always((request) => ({ ...(LIST.includes(request.headers.origin) && { "Access-Control-Allow-Origin": request.headers.origin }) })),
  "typo-methods": server((request, response) => send(response, { "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Method": "GET, PUT" }, request.method === "OPTIONS" ? 204 : 200)),
  "typo-header": always(() => ({ "Acess-Control-Allow-Origin": PAGE })),
  "allow-header": always(() => ({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Header": "x-id" })),
  "options-only": server((request, response) => (request.method === "OPTIONS" ? send(response, { ...METHODS, "Access-Control-Allow-Origin": PAGE }, 204) : send(response, {}))),
  "get-only": server((request, response) => (request.method === "OPTIONS" ? send(response, METHODS, 204) : send(response, { "Access-Control-Allow-Origin": PAGE }))),
  "not-on-404": server((request, response) => (request.url === "/items" ? send(response, { "Access-Control-Allow-Origin": PAGE }) : send(response, {}, 404))),
  "405": server((request, response) => {
    for (const [name, value] of Object.entries({ ...METHODS, "Access-Control-Allow-Origin": PAGE })) response.setHeader(name, value);
    if (["GET", "PUT"].includes(request.method)) send(response, {});
    else send(response, { Allow: "GET, PUT" }, 405);
  }),
  "hangs-on-options": server((request, response) => request.method !== "OPTIONS" && send(response, { "Access-Control-Allow-Origin": PAGE })),
  "closes-on-options": server((request, response) => (request.method === "OPTIONS" ? request.socket.destroy() : send(response, { "Access-Control-Allow-Origin": PAGE }))),
  "to-password": server((request, response) => send(response, { "Access-Control-Allow-Origin": PAGE, Location: "http://user:secret@127.0.0.1/items" }, 302)),
};
