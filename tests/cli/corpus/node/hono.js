// Hono with its own CORS middleware, on Node.
const { createAdaptorServer } = require("@hono/node-server");
const { Hono } = require("hono");
const { bearerAuth } = require("hono/bearer-auth");
const { cors } = require("hono/cors");
const { csrf } = require("hono/csrf");
const { secureHeaders } = require("hono/secure-headers");
const { appendTrailingSlash } = require("hono/trailing-slash");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const send_items = (context) => context.json(["tea"]);
const route_items = (app) => app.get("/items", send_items).put("/items", send_items).post("/items", send_items);

// Return a set-up: an app that is built by `add`. With `is_whole`, it sees its path, for redirects.
function app(add, { is_whole = false } = {}) {
  return (base) => {
    const app = is_whole ? new Hono().basePath(base) : new Hono();
    app.onError((error, context) => (error.getResponse ? error.getResponse() : context.text("Internal Server Error", 500)));
    add(app);
    return Object.assign(createAdaptorServer(app), { sees_whole_path: is_whole });
  };
}
const with_options = (options) => app((app) => route_items(app.use(cors(options))));

module.exports = {
  "well": with_options({ origin: LIST, credentials: true }),
  "defaults": with_options(),
  "star": with_options({ credentials: true }),
  "echo": with_options({ origin: (origin) => origin, credentials: true }),
  "string": with_options({ origin: "https://www.example.com", credentials: true }),
  "ends": with_options({ origin: (origin) => (origin.endsWith("example.com") ? origin : LIST[1]), credentials: true }),
  "subdomains": with_options({ origin: (origin) => (origin.endsWith(".example.com") && origin.startsWith("https://") ? origin : null), credentials: true }),
  "methods": with_options({ origin: LIST, allowMethods: ["POST", "GET", "OPTIONS"] }),
  "methods-lower": with_options({ origin: LIST, allowMethods: ["get", "patch"] }),
  "headers": with_options({ origin: LIST, allowHeaders: ["X-Custom-Header", "Upgrade-Insecure-Requests"] }),
  "no-credentials": with_options({ origin: LIST }),
  "other-path": app((app) => route_items(app.use("/api/*", cors({ origin: LIST })))),
  "late": app((app) => route_items(app).use(cors({ origin: LIST }))),
  "appended": app((app) => {
    app.use(cors({ origin: LIST }));
    app.get("/items", (context) => (context.header("Access-Control-Allow-Origin", PAGE, { append: true }), context.json(["tea"])));
  }),
  "auth-first": app((app) => route_items(app.use(bearerAuth({ token: "secret" })).use(cors({ origin: LIST })))),
  "auth-after": app((app) => route_items(app.use(cors({ origin: LIST })).use(bearerAuth({ token: "secret" })))),
  "csrf-first": app((app) => route_items(app.use(csrf()).use(cors({ origin: LIST })))),
  "secure-headers": app((app) => route_items(app.use(secureHeaders()).use(cors({ origin: LIST })))),
  "crash-outside": app((app) => {
    app.use((context, next) => (context.req.method === "OPTIONS" ? next() : Promise.reject(new Error("no database"))));
    route_items(app.use(cors({ origin: LIST })));
  }),
  "raw-response": app((app) => app.use(cors({ origin: LIST })).get("/items", () => new Response("tea"))),
  "slash": app((app) => {
    app.use(appendTrailingSlash());
    app.get("/items/", cors({ origin: LIST }), send_items);
  }, { is_whole: true }),
};
