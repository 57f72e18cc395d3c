// The API behind the package cors of npm. `node express.js PORT`, in a folder with express and cors.
const express = require("express");
const cors = require("cors");

const app = express();
const options = {
  origin: ["https://app.example.com", "https://admin.example.com:8443"],
  methods: ["GET", "PUT", "PATCH"],
  allowedHeaders: ["x-id", "authorization"],
  exposedHeaders: ["x-total"],
  credentials: true,
  maxAge: 600,
};
app.use(cors(options));
for (const method of ["get", "put", "patch"]) {
  app[method]("/items", (_, response) => response.set("x-total", "2").send("items"));
}
app.get("/crash", () => {
  throw new Error("deliberate");
});
app.listen(Number(process.argv[2]), "127.0.0.1");
