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
const after = (middleware, environment) => app((app) => app.use(middleware).use(cors({ origin: LIST })).all("/items", send_items), environment);
const with_origin = (value) => with_headers({ "Access-Control-Allow-Origin": value });
const elsewhere = cors({ origin: [LIST[1]], credentials: true });

// The headers of a preflight's response, and of the others.
const with_both = (preflight, others) => app((app) => {
  app.options("/items", (request, response) => response.set({ "Access-Control-Allow-Methods": "PUT", "Access-Control-Allow-Origin": PAGE, ...preflight }).status(204).end());
  app.all("/items", (request, response) => response.set({ "Access-Control-Allow-Origin": PAGE, ...others }).json(["tea"]));
});
const CREDENTIALS = { "Access-Control-Allow-Credentials": "true" };

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
  // A policy that refuses the page, before routes that fail.
  "crash-elsewhere": app((app) => app.use(elsewhere).all("/items", (request) => request.user.name)),
  "login-elsewhere": app((app) => app.use(elsewhere).all("/items", (request, response) => response.status(401).json({}))),
  "missing-elsewhere": app((app) => app.use(elsewhere)),
  // Redirects.
  "to-an-open-cdn": app((app, base, port) => {
    app.use(cors()).get("/items", (request, response) => response.redirect(`http://localhost:${port}${base}/cdn`)).get("/cdn", send_items);
  }),
  "in-a-circle": app((app, base) => app.use(cors()).get("/items", (request, response) => response.redirect(`${base}/items`))),
  // Values.
  "with-a-path": with_origin(`${PAGE}/*`),
  "without-a-scheme": with_origin("//app.example.com"),
  "one-slash": with_origin("https:/app.example.com"),
  "separated-by-spaces": with_origin(LIST.join(" ")),
  "subdomains": with_origin("*.example.com"),
  "quoted-star": with_origin('"*"'),
  "name-of-a-variable": with_origin("${FRONTEND_URL}"),
  "in-braces": with_origin("{{ cors_origin }}"),
  "address": with_origin("http://127.0.0.1:3000"),
  "printed-methods": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Methods": '["GET","PUT"]' }),
  "star-headers": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Headers": "*", ...CREDENTIALS }),
  "star-exposed": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Expose-Headers": "*", "X-Total": "2", ...CREDENTIALS }),
  "credentials-twice": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Credentials": ["true", "true"] }),
  "credentials-at-the-preflight": with_both(CREDENTIALS, {}),
  "credentials-after-the-preflight": with_both({}, CREDENTIALS),
  "cookie-of-a-domain": with_headers({ "Access-Control-Allow-Origin": PAGE, "Set-Cookie": "sid=1; SameSite=None; Secure; Domain=other.example", ...CREDENTIALS }),
  "age-in-words": with_both({ "Access-Control-Max-Age": "one hour" }, {}),
  // Layers before CORS.
  "page-for-any-path": app((app) => {
    app.options(/.*/, (request, response) => response.send("<!doctype html>"));
    app.put("/items", (request, response) => response.set("Access-Control-Allow-Origin", PAGE).json([])).get("/items", (request, response) => response.set("Access-Control-Allow-Origin", PAGE).json([]));
  }),
  "token-of-a-form": after((request, response, next) => (request.get("x-csrf-token") ? next() : response.status(403).json({ message: "invalid csrf token" }))),
  "media-type": after((request, response, next) => (request.method === "OPTIONS" ? response.status(415).end() : next())),
  "body-of-options": after((request, response, next) => (request.method === "GET" ? next() : next(JSON.parse(request.body))), "development"),
  "all-other-methods": app((app) => app.route("/items").get(send_items).all((request, response) => response.status(405).end())),
  "version": after((request, response, next) => (request.get("accept-version") ? next() : response.status(404).json({ error: "unknown API version" }))),
  "maintenance": after((request, response) => response.status(503).set("Retry-After", "3600").send("<h1>Down for maintenance</h1>")),
  "own-origin-check": after((request, response, next) => {
    if (!request.get("origin") || request.get("origin").includes(request.get("host"))) return next();
    return response.status(403).json({ error: "Cross-site request forbidden" });
  }),
  "crash-of-a-corsHandler": after(function corsHandler(request) {
    return request.user.name;
  }, "development"),
  // Healthy.
  "endless": app((app) => app.use(cors()).get("/items", (request, response) => {
    response.set("Content-Type", "text/event-stream").flushHeaders();
    const timer = setInterval(() => response.write("data: tea\n\n"), 100);
    request.on("close", () => clearInterval(timer));
  })),
  "early-hints": app((app) => app.use(cors()).get("/items", (request, response) => {
    response.writeEarlyHints({ link: "</a.css>; rel=preload; as=style" });
    response.json([]);
  })),
  "no-content": app((app) => app.use(cors()).get("/items", (request, response) => response.status(204).end())),
  "star-methods": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Methods": "*" }),
};
