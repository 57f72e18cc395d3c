// WebSockets with ws and with Socket.IO.
const express = require("express");
const http = require("http");
const { Server } = require("socket.io");
const { WebSocketServer } = require("ws");

const PAGE = "https://app.example.com";
const LIST = [PAGE, "https://admin.example.com"];

// Return a set-up: a server, with a WebSocket server that has these options.
function ws(options) {
  return () => {
    const server = http.createServer((request, response) => response.writeHead(404).end());
    new WebSocketServer({ server, ...options });
    return server;
  };
}

function socket_io(options) {
  return () => {
    const server = http.createServer();
    new Server(server, options);
    return server;
  };
}

function on_upgrade(listener, handler = (request, response) => response.end("tea")) {
  return () => http.createServer(handler).on("upgrade", listener);
}

module.exports = {
  "well": ws({ verifyClient: ({ origin }) => LIST.includes(origin) }),
  "open": ws({}),
  "refused": ws({ verifyClient: ({ origin }) => origin === LIST[1] }),
  "refused-403": ws({ verifyClient: ({ origin }, done) => (origin === LIST[1] ? done(true) : done(false, 403, "Forbidden")) }),
  "other-path": ws({ path: "/socket" }),
  "prefix": ws({ verifyClient: ({ origin }) => origin.startsWith(PAGE) }),
  "no-upgrade": () => http.createServer((request, response) => response.end("tea")),
  "not-routed": () => http.createServer(express()),
  "login": on_upgrade((request, socket) => socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")),
  "dropped": on_upgrade((request, socket) => request.headers.origin !== LIST[1] && socket.destroy()),
  "polling": socket_io({}),
  "polling-elsewhere": socket_io({ cors: { origin: "https://admin.example.com" } }),
  "polling-star": socket_io({ cors: { origin: "*", credentials: true } }),
  "polling-well": socket_io({ cors: { origin: LIST, credentials: true } }),
  "io-checked": socket_io({ allowRequest: (request, done) => done(null, LIST.includes(request.headers.origin)) }),
  "io-refused": socket_io({ allowRequest: (request, done) => done("origin not allowed", request.headers.origin === LIST[1]) }),
};
