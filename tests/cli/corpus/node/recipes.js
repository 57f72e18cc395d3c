// Put each recipe of the doctor into a server of the software that it is for: /Express.methods/items.
// RECIPES is a JSON file: {"Express.methods": "cors({ … })"}. With an empty recipe, the same server has no CORS.
const fs = require("fs");
const http = require("http");

const PAGE = "https://app.example.com";
const PATH = "/items";
// In scope of the recipes, as in the program of a user.
const options = { origin: [PAGE], methods: ["PUT", "PATCH"] };
const AsyncFunction = (async () => {}).constructor;

// Run the lines of a recipe with these names in scope.
const run = (recipe, scope) => new AsyncFunction(...Object.keys(scope), recipe)(...Object.values(scope));
// Run `app.use(cors({ … }))` if the recipe is `cors({ … })`.
const run_use = (recipe, scope) => run(recipe.startsWith("cors(") ? `app.use(${recipe})` : recipe, { options, ...scope });

const allow = (origin) => (origin === PAGE ? origin : undefined);
const is_refused = (goal, request) => goal === "preflight" && !request.headers.authorization;

// Each function returns a server. For the goal "vary", the app sends the origin back by hand, and the recipe adds Vary.

// Express, and Polka, which takes the same middleware and the same handlers.
async function middleware(app, goal, recipe) {
  const cors = require("cors");
  if (goal === "vary") {
    const handler = new Function("res", recipe);
    app.use((request, response, next) => {
      if (allow(request.headers.origin)) response.setHeader("Access-Control-Allow-Origin", PAGE);
      handler(response);
      next();
    });
  } else {
    await run_use(recipe, { app, cors });
  }
  app.use((request, response, next) => {
    if (is_refused(goal, request)) return response.writeHead(401).end();
    if (goal === "errors") throw new Error("as requested");
    next();
  });
  const handler = (request, response) => response.writeHead(200, { "x-id": "7" }).end("tea");
  return app.get(PATH, handler).put(PATH, handler).patch(PATH, handler);
}

async function Express(goal, recipe) {
  process.env.NODE_ENV = "test"; // Express writes no errors to stderr
  return http.createServer(await middleware(require("express")(), goal, recipe));
}

async function Polka(goal, recipe) {
  const app = require("polka")({ onError: (error, request, response) => response.writeHead(error.code ?? 500).end() });
  app.use((request, response, next) => {
    try {
      next(); // Polka does not catch
    } catch {
      response.writeHead(500).end();
    }
  });
  return http.createServer((await middleware(app, goal, recipe)).handler);
}

async function Fastify(goal, recipe) {
  let server;
  const app = require("fastify")({ serverFactory: (handler) => (server = http.createServer(handler)) });
  if (goal !== "vary") await run(recipe, { app, cors: require("@fastify/cors"), options });
  const add_vary = new Function("reply", goal === "vary" ? recipe : "");
  app.addHook("onRequest", async (request, reply) => {
    if (is_refused(goal, request)) return reply.code(401).send();
    if (goal === "errors") throw new Error("as requested");
    if (goal === "vary" && allow(request.headers.origin)) reply.header("Access-Control-Allow-Origin", PAGE);
    add_vary(reply);
  });
  app.route({ method: ["GET", "PUT", "PATCH"], url: PATH, handler: (request, reply) => reply.header("x-id", "7").send(["tea"]) });
  await app.ready();
  return server;
}

async function Koa(goal, recipe) {
  const app = new (require("koa"))();
  app.silent = true;
  if (goal !== "vary") await run_use(recipe, { app, cors: require("@koa/cors"), options: { origin: PAGE } });
  const add_vary = new Function("ctx", goal === "vary" ? recipe : "");
  app.use((context) => {
    if (is_refused(goal, context)) context.throw(401);
    if (goal === "errors") throw new Error("as requested");
    if (goal === "vary" && allow(context.get("Origin"))) context.set("Access-Control-Allow-Origin", PAGE);
    add_vary(context);
    context.set("x-id", "7");
    context.body = "tea";
  });
  return http.createServer(app.callback());
}

async function Hono(goal, recipe) {
  const app = new (require("hono").Hono)();
  app.onError((error, context) => context.text("Internal Server Error", 500));
  if (goal !== "vary") await run_use(recipe, { app, cors: require("hono/cors").cors, options: { origin: [PAGE] } });
  const add_vary = new Function("c", goal === "vary" ? recipe : "");
  app.on(["GET", "PUT", "PATCH"], PATH, (context) => {
    if (is_refused(goal, { headers: context.req.header() })) return context.text("no token", 401);
    if (goal === "errors") throw new Error("as requested");
    if (goal === "vary" && allow(context.req.header("origin"))) context.header("Access-Control-Allow-Origin", PAGE);
    add_vary(context);
    return context.text("tea", 200, { "x-id": "7" });
  });
  return require("@hono/node-server").createAdaptorServer(app);
}

async function hapi(goal, recipe) {
  const listener = http.createServer();
  const is_option = recipe.includes("routes:");
  const of_server = is_option ? new Function("options", `return {\n${recipe}\n}`)({ origin: [PAGE] }) : {};
  if (goal === "methods" && recipe) of_server.routes = { cors: { origin: [PAGE] } };
  const server = require("@hapi/hapi").server({ listener, autoListen: false, debug: false, ...of_server });
  const handler = (request, h) => {
    if (goal === "errors") throw new Error("as requested");
    const response = h.response("tea").header("x-id", "7");
    if (goal !== "vary") return response;
    if (allow(request.headers.origin)) response.header("Access-Control-Allow-Origin", PAGE);
    new Function("response", recipe)(response);
    return response;
  };
  if (goal === "preflight") {
    server.auth.scheme("token", () => ({ authenticate: (request, h) => h.unauthenticated(new Error("no token")) }));
    server.auth.strategy("default", "token");
    server.auth.default("default");
  }
  server.route({ method: goal === "methods" ? ["GET"] : ["GET", "PUT"], path: PATH, handler });
  if (goal === "methods") await run(recipe, { server, path: PATH, handler });
  await server.initialize();
  return listener;
}

async function NestJS(goal, recipe) {
  require("reflect-metadata");
  const { All, Controller, Header, Module } = require("@nestjs/common");
  class Items {
    respond() {
      return "tea";
    }
  }
  const decorators = [All("items"), Header("x-id", "7")];
  if (goal === "vary" && recipe) decorators.push(new Function("Header", `return ${recipe.slice(1)}`)(Header));
  for (const decorator of decorators) decorator(Items.prototype, "respond", Object.getOwnPropertyDescriptor(Items.prototype, "respond"));
  Controller()(Items);
  class App {}
  Module({ controllers: [Items] })(App);
  const app = await require("@nestjs/core").NestFactory.create(App, { logger: false });
  if (goal !== "vary") await run(recipe, { app, options });
  app.use((request, response, next) => {
    if (is_refused(goal, request)) return response.writeHead(401).end();
    if (goal === "errors") throw new Error("as requested");
    if (goal === "vary" && allow(request.headers.origin)) response.setHeader("Access-Control-Allow-Origin", PAGE);
    next();
  });
  await app.init();
  return app.getHttpServer();
}

async function socket_io(goal, recipe) {
  const httpServer = http.createServer();
  const { Server } = require("socket.io");
  new Function("Server", "httpServer", recipe || "new Server(httpServer)")(Server, httpServer);
  return httpServer;
}

async function Node(goal, recipe) {
  const lines = new Function("request", "response", "origin", "set_cors_headers", recipe);
  const set = (response) => response.setHeader("Access-Control-Allow-Origin", PAGE);
  return http.createServer((request, response) => {
    if (recipe && ["preflight", "methods", "headers", "expose"].includes(goal)) set(response);
    if (recipe && goal === "preflight") response.setHeader("Access-Control-Allow-Methods", "PUT");
    if (goal === "vary" && allow(request.headers.origin)) set(response);
    lines(request, response, PAGE, set);
    if (response.writableEnded) return;
    if (is_refused(goal, request)) return response.writeHead(401).end();
    response.writeHead(goal === "errors" ? 500 : 200, { "x-id": "7" }).end("tea");
  });
}

const SOFTWARE = { Express, Fastify, Hono, Koa, NestJS, Node, Polka, hapi, "Socket.IO": socket_io };
const RECIPES = JSON.parse(fs.readFileSync(process.env.RECIPES, "utf-8"));

for (const [name, recipe] of Object.entries(RECIPES)) {
  const [, software, goal] = name.match(/^(.*)\.(\w+)$/);
  module.exports[name] = () => SOFTWARE[software](goal.replace(/_empty$/, ""), recipe);
}
