// Koa with @koa/cors.
const cors = require("@koa/cors");
const Koa = require("koa");
const http = require("http");
const Router = require("@koa/router");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const choose = (context) => (LIST.includes(context.get("Origin")) ? context.get("Origin") : false);
const send_items = (context) => (context.body = ["tea"]);

// Return a set-up: an app that is built by `add`, in silence.
function app(add) {
  return () => {
    const app = new Koa();
    app.silent = true;
    add(app, new Router());
    return http.createServer(app.callback());
  };
}

function route_items(app, router, handler = send_items) {
  router.get("/items", handler).put("/items", handler);
  app.use(router.routes()).use(router.allowedMethods());
}
const with_options = (options, handler) => app((app, router) => route_items(app.use(cors(options)), router, handler));
const by_hand = (context, next) => {
  context.set("Access-Control-Allow-Origin", PAGE);
  return next();
};

module.exports = {
  "well": with_options({ origin: choose, credentials: true }),
  "defaults": with_options(),
  "credentials": with_options({ credentials: true }),
  "array": with_options({ origin: LIST }),
  "joined": with_options({ origin: () => LIST.join(",") }),
  "host": with_options({ origin: (context) => context.get("Host") }),
  "echo": with_options({ origin: (context) => context.get("Origin"), credentials: true }),
  "first": with_options({ origin: (context) => (LIST[1] === context.get("Origin") ? LIST[1] : false) }),
  "fallback": with_options({ origin: (context) => (LIST[1] === context.get("Origin") ? LIST[1] : LIST[1]) }),
  "methods": with_options({ origin: choose, allowMethods: "GET,POST" }),
  "methods-spaces": with_options({ origin: choose, allowMethods: "GET PUT POST" }),
  "not-exposed": with_options({ origin: choose }, (context) => (context.set("X-Total", "2"), (context.body = ["tea"]))),
  "missing": with_options({ origin: choose }, (context) => context.throw(404, "no such item")),
  "not-on-errors": with_options({ origin: choose, keepHeadersOnError: false }, (context) => context.throw(404, "no such item")),
  "hand-crash": app((app, router) => route_items(app.use(by_hand), router, (context) => (context.body = context.state.user.name))),
  "hand-options": app((app, router) => route_items(app.use(by_hand), router)),
  "late": app((app, router) => {
    route_items(app, router);
    app.use(cors({ origin: choose }));
  }),
  "auth-first": app((app, router) => {
    app.use((context, next) => (context.get("Authorization") ? next() : context.throw(401, "Authentication Error")));
    route_items(app.use(cors({ origin: choose })), router);
  }),
  "auth-after": app((app, router) => {
    app.use(cors({ origin: choose }));
    app.use((context, next) => (context.get("Authorization") ? next() : context.throw(401, "Authentication Error")));
    route_items(app, router);
  }),
  "asserting": app((app, router) => {
    app.use((context, next) => (context.assert(!context.get("Origin") || context.get("Origin") === LIST[1], 403, "Forbidden"), next()));
    route_items(app.use(cors({ origin: choose })), router);
  }),
};
