// One Express app for each way to set up `cors`, behind a path of its own: /<name>/items.
const cors = require("cors");
const express = require("express");

const PAGE = "https://app.example.com";
const items = (router) => router.all("/items", (request, response) => response.json(["tea"]));
const with_options = (options) => (router) => items(router.use(cors(options)));

const WAYS = {
  "well": with_options({ origin: [PAGE], credentials: true, methods: ["PUT"] }),
  "slash": with_options({ origin: `${PAGE}/` }),
  "star": with_options({}),
  "reflecting": with_options({ origin: true, credentials: true }),
  "regex": with_options({ origin: /example\.com/, credentials: true }),
  "suffix": with_options({ origin: /example\.com$/, credentials: true }),
  "methods": with_options({ origin: [PAGE], methods: ["GET", "POST"] }),
  "headers": with_options({ origin: [PAGE], allowedHeaders: ["x-other"] }),
  "one-origin": with_options({ origin: "https://shop.example.net" }),
  "late": (router) => {
    router.get("/items", (request, response) => response.json(["tea"]));
    router.use(cors({ origin: PAGE }));
  },
  "throwing": with_options({
    origin: (origin, done) => (origin === "https://other.example" ? done(null, true) : done(new Error("Not allowed by CORS"))),
  }),
  "auth-first": (router) => {
    router.use((request, response, next) => (request.headers.authorization ? next() : response.sendStatus(401)));
    items(router.use(cors({ origin: PAGE })));
  },
};

const app = express();
for (const [name, set_up] of Object.entries(WAYS)) {
  const router = express.Router();
  set_up(router);
  app.use(`/${name}`, router);
}
app.use((error, request, response, next) => response.status(500).send(error.message));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
