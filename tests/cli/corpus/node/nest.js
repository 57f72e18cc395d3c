// NestJS on Express, in plain JavaScript: decorators are called as functions.
require("reflect-metadata");
const { Controller, Get, Header, Module, Put } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];

function decorate(target, name, ...decorators) {
  for (const decorator of decorators) decorator(target.prototype, name, Object.getOwnPropertyDescriptor(target.prototype, name));
}

class Items {
  list() {
    return ["tea"];
  }
  replace() {
    return ["tea"];
  }
  open() {
    return ["tea"];
  }
  crash() {
    return this.nothing.name;
  }
}
decorate(Items, "list", Get("items"));
decorate(Items, "replace", Put("items"));
decorate(Items, "open", Get("open"), Header("Access-Control-Allow-Origin", "*"));
decorate(Items, "crash", Get("crash"));
Controller()(Items);

class App {}
Module({ controllers: [Items] })(App);

// Return a set-up: an app that `add` changes before it is initialised, or after.
function app(add, { is_late = false, ...options } = {}) {
  return async () => {
    const app = await NestFactory.create(App, { logger: false, ...options });
    if (!is_late) add(app);
    await app.init();
    if (is_late) add(app);
    return app.getHttpServer();
  };
}
const with_options = (options) => app((app) => app.enableCors(options));
const require_login = (request, response, next) => (request.headers.authorization ? next() : response.status(401).json({ statusCode: 401, message: "Unauthorized" }));

module.exports = {
  "well": with_options({ origin: LIST, credentials: true }),
  "off": app(() => {}),
  "option": app(() => {}, { cors: true }),
  "late": app((app) => app.enableCors({ origin: LIST }), { is_late: true }),
  "joined": with_options({ origin: "https://app.example.com,https://admin.example.com", credentials: true }),
  "localhost": with_options({ origin: ["http://localhost:3000"] }),
  "localhost-string": with_options({ origin: "http://localhost:3000" }),
  "suffix": with_options({ origin: [/\.example\.com$/, /example\.com$/], credentials: true }),
  "headers": with_options({ origin: LIST, allowedHeaders: "Content-Type, Accept" }),
  "throwing": with_options({ origin: (origin, done) => (!origin || origin === LIST[1] ? done(null, true) : done(new Error("Not allowed by CORS"))) }),
  "auth-first": app((app) => app.use(require_login).enableCors({ origin: LIST })),
};
