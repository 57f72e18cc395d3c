// Mistakes of other kinds, with several frameworks.
const express = require("express");
const cors = require("cors");
const fastify = require("fastify");
const fastify_cors = require("@fastify/cors");
const Hapi = require("@hapi/hapi");
const http = require("http");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const send_items = (request, response) => response.json(["tea"]);

function app(add, environment = "production") {
  return (base, port) => {
    process.env.NODE_ENV = environment;
    const app = express();
    add(app, base, port);
    return http.createServer(app);
  };
}
const with_options = (options) => app((app) => app.use(cors(options)).all("/items", send_items));
const with_headers = (headers) => app((app) => app.all("/items", (request, response) => response.set(headers).json(["tea"])));
const after = (middleware) => app((app) => app.use(middleware).use(cors({ origin: LIST })).all("/items", send_items));

// Store responses by URL, with their headers, as a cache of an API in memory does.
function cache_by_url() {
  const stored = {};
  return (request, response, next) => {
    const hit = stored[request.url];
    if (hit) return response.set(hit.headers).send(hit.body);
    const send = response.json.bind(response);
    response.json = (body) => {
      stored[request.url] ??= { headers: response.getHeaders(), body };
      return send(body);
    };
    next();
  };
}

function fastify_app(add) {
  return async () => {
    let server;
    const app = fastify({ serverFactory: (handler) => (server = http.createServer(handler)) });
    await add(app);
    await app.ready();
    return server;
  };
}

module.exports = {
  // A gateway that copies the headers of the service behind it, next to its own.
  "gateway": () => http.createServer((request, response) => {
    const of_the_service = ["Content-Type", "text/plain", "Access-Control-Allow-Origin", "*"];
    response.writeHead(200, ["Access-Control-Allow-Origin", PAGE, ...of_the_service]).end("tea");
  }),
  "substring": with_options({ origin: (origin, done) => done(null, origin && LIST.join(",").includes(origin) ? origin : LIST[0]), credentials: true }),
  "unset-list": with_options({ origin: process.env.CORS_ORIGINS?.split(",") ?? [] }),
  "origin-of-the-callback": with_options({ origin: (origin, done) => done(null, origin), credentials: true }),
  "cache-before": app((app, base, port) => {
    app.use(cache_by_url()).use(cors({ origin: LIST })).get("/items", send_items);
    setImmediate(() => http.get(`http://127.0.0.1:${port}${base}/items`, { headers: { origin: LIST[1] } }));
  }),
  "cache-before-unused": app((app) => app.use(cache_by_url()).use(cors({ origin: LIST })).get("/items", send_items)),
  "another-port": with_options({ origin: PAGE }),
  "identity-provider": after((request, response) => response.redirect("https://id.example.net/oauth2/v2.0/authorize?client_id=7&redirect_uri=https%3A%2F%2Fapi.example.com%2Fcallback")),
  "slashes-in-a-list": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Methods": "GET/POST/PUT" }),
  "authorisation": with_options({ origin: PAGE, allowedHeaders: "Content-Type,Authorisation" }),
  "expose-header": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Expose-Header": "X-Total", "X-Total": "2" }),
  "validated-first": fastify_app(async (app) => {
    await app.register(fastify_cors, { origin: LIST, hook: "preHandler" });
    app.get("/items", { schema: { querystring: { type: "object", required: ["page"] } } }, async () => ["tea"]);
  }),
  "not-awaited": fastify_app(async (app) => {
    app.register(fastify_cors, { origin: LIST, methods: ["PUT"] });
    app.addHook("onRequest", async (request, reply) => request.headers.authorization || reply.code(401).send({ message: "Unauthorized" }));
    app.put("/items", async () => ["tea"]);
  }),
  "opened-from-a-file": with_options({ origin: LIST }),
  "line-break": app((app) => app.use(function cors(request, response, next) {
    response.setHeader("Access-Control-Allow-Origin", `${PAGE}\n`);
    next();
  }), "development"),
  "api-key": after((request, response, next) => (request.get("x-api-key") ? next() : response.status(400).json({ error: "x-api-key is required" }))),
  "busy": after((request, response) => response.status(503).set("Retry-After", "5").send("Server too busy")),
  "meta": app((app) => app.get("/items", (request, response) => response.send('<meta http-equiv="Access-Control-Allow-Origin" content="*">'))),
  "other-list-on-a-route": async () => {
    const listener = http.createServer();
    const server = Hapi.server({ listener, autoListen: false, debug: false, routes: { cors: { origin: LIST } } });
    server.route({ method: "PUT", path: "/items", handler: () => "tea", options: { cors: { origin: [LIST[1]] } } });
    await server.initialize();
    return listener;
  },
};
