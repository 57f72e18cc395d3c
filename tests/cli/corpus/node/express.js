// Express with its cors package, and with headers that are set by hand.
const cors = require("cors");
const express = require("express");
const helmet = require("helmet");
const http = require("http");
const path = require("path");
const { rateLimit } = require("express-rate-limit");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const send_items = (request, response) => response.json(["tea"]);

// Return a set-up: an app whose NODE_ENV is `environment`.
function app(add, environment = "production") {
  return (base, port) => {
    process.env.NODE_ENV = environment; // express() reads it
    const app = express();
    add(app, base, port);
    return http.createServer(app);
  };
}
const development = (add) => app(add, "development");

const route_items = (app) => app.get("/items", send_items).put("/items", send_items).post("/items", send_items);
const with_options = (options) => app((app) => route_items(app.use(cors(options))));
const set_headers = (headers) => (request, response, next) => {
  response.set(headers);
  next();
};
const with_headers = (headers) => app((app) => route_items(app.use(set_headers(headers))));
const refuse = (origin, done) => (!origin || LIST.includes(origin) ? done(null, true) : done(new Error("Not allowed by CORS")));
const refuse_all_but_admin = (origin, done) => (!origin || origin === LIST[1] ? done(null, true) : done(new Error("Not allowed by CORS")));
const require_login = (request, response, next) => (request.headers.authorization ? next() : response.status(401).json({ error: "No token provided" }));
const crash = (request) => request.user.name;
const load_user = (request, response, next) => (request.method === "GET" ? crash(request) : next());

module.exports = {
  "well": with_options({ origin: LIST, credentials: true, methods: ["PUT"] }),
  "defaults": with_options(),
  "slash": with_options({ origin: `${PAGE}/` }),
  "slashes": with_options({ origin: [`${PAGE}/`, "https://admin.example.com/"] }),
  "star": with_options({ origin: "*", credentials: true }),
  "reflecting": with_options({ origin: true, credentials: true }),
  "regex": with_options({ origin: /example\.com/, credentials: true }),
  "suffix": with_options({ origin: /example\.com$/, credentials: true }),
  "dot": with_options({ origin: /^https:\/\/app.example.com$/, credentials: true }),
  "anchored": with_options({ origin: /^https:\/\/(app|admin)\.example\.com$/, credentials: true }),
  "methods": with_options({ origin: LIST, methods: ["GET", "POST"] }),
  "methods-star": with_options({ origin: LIST, methods: ["*"], credentials: true }),
  "methods-lower": with_options({ origin: LIST, methods: "get,post,put" }),
  "headers": with_options({ origin: LIST, allowedHeaders: ["x-other"] }),
  "headers-semicolon": with_options({ origin: LIST, allowedHeaders: "Content-Type; X-Id" }),
  "headers-star": with_options({ origin: LIST, allowedHeaders: "*" }),
  "authorization-only": with_options({ origin: LIST, allowedHeaders: ["Authorization"] }),
  "one-origin": with_options({ origin: "https://shop.example.net" }),
  "localhost": with_options({ origin: "http://localhost:3000" }),
  "http": with_options({ origin: "http://app.example.com" }),
  "pattern": with_options({ origin: "https://*.example.com" }),
  "patterns": with_options({ origin: ["https://*.example.com"] }),
  "host": with_options({ origin: "app.example.com" }),
  "null": with_options({ origin: [PAGE, "null"], credentials: true }),
  "spaces": with_options({ origin: "https://admin.example.com, https://app.example.com".split(",") }),
  "joined-variable": with_options({ origin: "https://app.example.com,https://admin.example.com" }),
  "unset": with_options({ origin: process.env.CORS_ORIGIN }),
  "unset-in-template": with_options({ origin: `${process.env.FRONTEND_URL}` }),
  "no-credentials": with_options({ origin: LIST }),
  "credentials-text": with_options({ origin: LIST, credentials: "true" }),
  "success-200": with_options({ origin: LIST, optionsSuccessStatus: 200 }),
  "begins": with_options({ origin: (origin, done) => done(null, origin?.startsWith(PAGE)), credentials: true }),
  "false": with_options({ origin: (origin, done) => done(null, !origin || origin === "https://admin.example.com") }),
  "well-by-callback": with_options({ origin: refuse, credentials: true }),
  "well-in-development": development((app) => route_items(app.use(cors({ origin: refuse })))),
  "throwing": app((app) => {
    route_items(app.use(cors({ origin: (origin, done) => (origin === "https://other.example" ? done(null, true) : done(new Error("Not allowed by CORS"))) })));
    app.use((error, request, response, next) => response.status(500).send(error.message));
  }),
  "throwing-in-production": app((app) => route_items(app.use(cors({ origin: refuse_all_but_admin })))),
  "throwing-in-development": development((app) => route_items(app.use(cors({ origin: refuse_all_but_admin })))),
  "throwing-403": app((app) => {
    route_items(app.use(cors({ origin: (origin, done) => (origin ? done(new Error("Origin is not whitelisted")) : done(null, true)) })));
    app.use((error, request, response, next) => response.status(403).json({ error: error.message }));
  }),
  "late": app((app) => route_items(app).use(cors({ origin: PAGE }))),
  "late-catch-all": app((app) => {
    app.all("/items", send_items);
    app.use(cors({ origin: PAGE }));
  }),
  "one-route": app((app) => app.get("/items", cors({ origin: PAGE }), send_items)),
  "auth-first": app((app) => route_items(app.use(require_login).use(cors({ origin: PAGE })))),
  "login-page": app((app) => {
    app.use((request, response, next) => (request.headers.cookie ? next() : response.redirect("/login-page/login")));
    app.get("/login", cors(), (request, response) => response.send("<form>"));
  }),
  "limit-first": app((app) => route_items(app.use(rateLimit({ limit: 0, validate: false })).use(cors({ origin: PAGE })))),
  "json-first": app((app) => route_items(app.use(express.json({ limit: "10b" })).use(cors({ origin: PAGE })))),
  "json-limit": app((app) => route_items(app.use(cors({ origin: PAGE })).use(express.json({ limit: "10b" })))),
  "crash-first": development((app) => route_items(app.use(load_user).use(cors({ origin: PAGE })))),
  "crash-in-callback": development((app) => route_items(app.use(cors({ origin: (origin, done) => done(null, LIST.items.includes(origin)) })))),
  "crash": development((app) => app.use(cors({ origin: PAGE })).get("/items", crash)),
  "crash-cleared": app((app) => {
    app.use(cors({ origin: PAGE })).get("/items", crash);
    app.use((error, request, response, next) => {
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      response.status(500).json({ error: "Something broke" });
    });
  }),
  "continue-404": app((app) => {
    route_items(app.use(cors({ origin: PAGE, preflightContinue: true })));
    app.use((request, response) => response.status(404).json({ error: "Not found" }));
  }),
  "two-instances": app((app) => route_items(app.use(cors()).use(cors({ origin: "https://admin.example.com" })))),
  "overwritten": app((app) => {
    app.use(cors({ origin: LIST, credentials: true }));
    app.get("/items", (request, response) => response.set("Access-Control-Allow-Origin", "*").json(["tea"]));
  }),
  "appended": app((app) => {
    app.use(cors({ origin: LIST }));
    app.get("/items", (request, response) => response.append("Access-Control-Allow-Origin", "*").json(["tea"]));
  }),
  "https-only": app((app) => {
    app.use((request, response, next) => (request.secure ? next() : response.redirect(301, `https://${request.hostname}${request.originalUrl}`)));
    route_items(app.use(cors({ origin: PAGE })));
  }),
  "static-first": app((app) => app.use(express.static(path.join(__dirname, ".."))).use(cors({ origin: PAGE }))),
  "to-the-cdn": app((app, base, port) => app.use(cors({ origin: PAGE })).get("/items", (request, response) => response.redirect(`http://localhost:${port}${base}/cdn`))),
  "to-v2": app((app, base) => {
    app.use(cors({ origin: PAGE }));
    app.get("/items", (request, response) => response.redirect(308, `${base}/v2/items`)).get("/v2/items", send_items);
  }),
  "cookie": app((app) => {
    app.use(cors({ origin: LIST, credentials: true }));
    app.get("/items", (request, response) => response.cookie("sid", "1", { httpOnly: true }).json(["tea"]));
  }),
  "total": app((app) => app.use(cors({ origin: PAGE })).get("/items", (request, response) => response.set("X-Total-Count", "2").json(["tea"]))),
  "total-exposed": app((app) => {
    app.use(cors({ origin: PAGE, exposedHeaders: "X-Total-Count" }));
    app.get("/items", (request, response) => response.set("X-Total-Count", "2").json(["tea"]));
  }),
  "helmet": app((app) => route_items(app.use(helmet()).use(cors({ origin: LIST, credentials: true })))),
  "by-hand": with_headers({ "Access-Control-Allow-Origin": PAGE }),
  "by-hand-typo": with_headers({ "Access-Control-Allow-Origins": "*" }),
  "by-hand-array": with_headers({ "Access-Control-Allow-Origin": LIST }),
  "by-hand-true": with_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Credentials": "True" }),
  "by-hand-without-end": app((app) => {
    app.use(set_headers({ "Access-Control-Allow-Origin": PAGE, "Access-Control-Allow-Methods": "GET, PUT" }));
    app.get("/items", send_items);
    app.use((request, response) => response.status(404).json({ error: "Not found" }));
  }),
  "by-hand-well": app((app) => {
    app.use((request, response, next) => {
      if (LIST.includes(request.headers.origin)) response.set("Access-Control-Allow-Origin", request.headers.origin);
      response.set({ "Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Allow-Headers": "X-Id" }).vary("Origin");
      return request.method === "OPTIONS" ? response.sendStatus(200) : next();
    });
    route_items(app);
  }),
};
