// hapi with its own cors option.
const Hapi = require("@hapi/hapi");
const http = require("http");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];
const send_items = () => ["tea"];
const ROUTES = [{ method: ["GET", "PUT", "POST"], path: "/items", handler: send_items }];

// Return a set-up: a server with this cors option and these routes.
function server(cors, routes = ROUTES, add = () => {}) {
  return async (base, port) => {
    const listener = http.createServer();
    const server = Hapi.server({ listener, autoListen: false, debug: false, routes: { cors } });
    await add(server, base, port);
    server.route(routes);
    await server.initialize();
    return listener;
  };
}
const refuse = (request, h) => (request.headers.authorization ? h.continue : h.response({ message: "Unauthorized" }).code(401).takeover());
const scheme = () => ({ authenticate: (request, h) => (request.headers.authorization ? h.authenticated({ credentials: {} }) : h.unauthenticated(new Error("no token"))) });

module.exports = {
  "well": server({ origin: LIST, credentials: true, additionalHeaders: ["x-id"] }),
  "open": server(true),
  "off": server(false),
  "reflecting": server({ origin: ["*"], credentials: true }),
  "elsewhere": server({ origin: ["https://admin.example.com"] }),
  "slash": server({ origin: [`${PAGE}/`] }),
  "host": server({ origin: ["app.example.com"] }),
  "wildcard": server({ origin: ["https://*.example.com"], credentials: true }),
  "loose-wildcard": server({ origin: ["https://*example.com"], credentials: true }),
  "headers": server({ origin: LIST, headers: ["Accept", "Authorization"] }),
  "default-headers": server({ origin: LIST }),
  "no-credentials": server({ origin: LIST }),
  "ignore": server({ origin: "ignore" }),
  "get-only": server({ origin: LIST }, [{ method: "GET", path: "/items", handler: send_items }]),
  "one-route-off": server({ origin: LIST }, [{ method: ["GET", "PUT"], path: "/items", handler: send_items, options: { cors: false } }]),
  "on-request": server({ origin: LIST }, ROUTES, (server) => server.ext("onRequest", refuse)),
  "strategy": server({ origin: LIST }, ROUTES, (server) => {
    server.auth.scheme("token", scheme);
    server.auth.strategy("default", "token");
    server.auth.default("default");
  }),
  "by-hand": server(false, [{ method: ["GET", "PUT"], path: "/items", handler: (request, h) => h.response(["tea"]).header("Access-Control-Allow-Origin", PAGE) }]),
  "options-route": server(false, [
    { method: ["GET", "PUT"], path: "/items", handler: (request, h) => h.response(["tea"]).header("Access-Control-Allow-Origin", PAGE) },
    { method: "OPTIONS", path: "/items", handler: (request, h) => h.response().code(204) },
  ]),
  "total": server({ origin: LIST }, [{ method: "GET", path: "/items", handler: (request, h) => h.response(["tea"]).header("X-Total", "2") }]),
  "state": server({ origin: LIST, credentials: true }, [{ method: "GET", path: "/items", handler: (request, h) => h.response(["tea"]).state("sid", "1") }]),
  "crash": server({ origin: LIST }, [{ method: "GET", path: "/items", handler: (request) => request.auth.nothing.name }]),
};
