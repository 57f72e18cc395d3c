// Polka with the cors package of Express, and with headers that are set by hand.
const cors = require("cors");
const http = require("http");
const polka = require("polka");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const send_items = (request, response) => response.end("tea");

// Return a set-up: an app that is built by `add`.
function app(add) {
  return (base, port) => {
    const app = polka();
    add(app, base, port);
    return http.createServer(app.handler);
  };
}
const route_items = (app) => app.get("/items", send_items).put("/items", send_items);

module.exports = {
  "well": app((app) => route_items(app.use(cors({ origin: LIST, credentials: true })))),
  "throwing": app((app) => route_items(app.use(cors({ origin: (origin, done) => done(origin && origin !== LIST[1] && new Error("Not allowed by CORS"), true) })))),
  "by-hand": app((app) => {
    app.use((request, response, next) => {
      response.setHeader("Access-Control-Allow-Origin", PAGE);
      next();
    });
    route_items(app);
  }),
  "or-star": app((app) => {
    app.use((request, response, next) => {
      response.setHeader("Access-Control-Allow-Origin", request.headers.origin || "*");
      response.setHeader("Access-Control-Allow-Credentials", "true");
      next();
    });
    route_items(app);
  }),
  "old-host": app((app, base, port) => {
    app.use(cors({ origin: LIST }));
    app.get("/items", (request, response) => response.writeHead(301, { Location: `http://localhost:${port}${base}/v2` }).end());
    app.get("/v2", send_items);
  }),
  "below": app((app) => {
    app.use("/api", cors({ origin: LIST }));
    app.get("/items", send_items).get("/api/items", send_items);
  }),
};
