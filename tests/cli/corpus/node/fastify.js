// Fastify with @fastify/cors.
const cors = require("@fastify/cors");
const fastify = require("fastify");
const http = require("http");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const ALL = ["GET", "PUT", "POST"];
const send_items = async () => ["tea"];
const route_items = (app) => app.route({ method: ALL, url: "/items", handler: send_items });

// Return a set-up: an app that is built by `add`.
function app(add, options = {}) {
  return async (base, port) => {
    let server;
    const app = fastify({ serverFactory: (handler) => (server = http.createServer(handler)), ...options });
    await add(app, base, port);
    await app.ready();
    return server;
  };
}
const with_options = (options, of_the_app) => app(async (app) => {
  await app.register(cors, options);
  route_items(app);
}, of_the_app);
const require_login = async (request, reply) => request.headers.authorization || reply.code(401).send({ message: "Unauthorized" });

module.exports = {
  "well": with_options({ origin: LIST, methods: ALL, credentials: true }),
  "defaults": with_options({}),
  "default-methods": with_options({ origin: LIST }),
  "star": with_options({ credentials: true }),
  "reflecting": with_options({ origin: true, credentials: true }),
  "regex": with_options({ origin: /app\.example\.com/, credentials: true }),
  "string": with_options({ origin: "https://www.example.com" }),
  "undefined": with_options({ origin: `${process.env.FRONTEND_URL}` }),
  "unset": with_options({ origin: process.env.FRONTEND_URL, methods: ALL }),
  "disabled": with_options({ origin: process.env.CORS === "on", methods: ALL }),
  "throwing": with_options({ origin: (origin, done) => (!origin || origin === LIST[1] ? done(null, true) : done(new Error("Not allowed"), false)), methods: ALL }),
  "headers": with_options({ origin: LIST, allowedHeaders: ["Content-Type", "Authorization"] }),
  "by-promise": with_options({ origin: async (origin) => LIST.includes(origin), credentials: true, methods: ALL }),
  "routes-first": app(async (app) => {
    route_items(app);
    await app.register(cors, { origin: LIST, methods: ALL });
  }),
  "encapsulated": app(async (app) => {
    app.register(async (api) => {
      await api.register(cors, { origin: LIST, methods: ALL });
      route_items(api);
    }, { prefix: "/api" });
    route_items(app);
  }),
  "auth-first": app(async (app) => {
    app.addHook("onRequest", require_login);
    await app.register(cors, { origin: LIST, methods: ALL });
    route_items(app);
  }),
  "auth-after": app(async (app) => {
    await app.register(cors, { origin: LIST, methods: ALL });
    app.addHook("onRequest", require_login);
    route_items(app);
  }),
  "stream": app(async (app) => {
    await app.register(cors, { origin: LIST });
    app.get("/items", (request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
      reply.raw.end("data: tea\n\n");
    });
  }),
  "limit": with_options({ origin: LIST }, { bodyLimit: 4 }),
  "crash": app(async (app) => {
    await app.register(cors, { origin: LIST });
    app.get("/items", async (request) => request.user.name);
  }),
  "overwritten": app(async (app) => {
    await app.register(cors, { origin: LIST, credentials: true, methods: ALL });
    app.put("/items", async (request, reply) => reply.header("Access-Control-Allow-Origin", "*").send(["tea"]));
  }),
  "by-hook": app(async (app) => {
    app.addHook("onRequest", async (request, reply) => {
      reply.header("Access-Control-Allow-Origin", PAGE);
    });
    route_items(app);
  }),
  "to-slash": app(async (app, base) => {
    app.addHook("onRequest", async (request, reply) => request.raw.url.endsWith("/") || reply.redirect(`${base}${request.raw.url}/`, 301));
    await app.register(cors, { origin: LIST, methods: ALL });
    app.route({ method: ALL, url: "/items/", handler: send_items });
  }),
};
