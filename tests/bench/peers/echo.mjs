// echo.mjs PORT: npm ws, every message its echo; the server that bench-ws divides by.
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1", perMessageDeflate: false }, () => console.log("ready"));
server.on("connection", (ws) => ws.on("message", (data, binary) => ws.send(data, { binary })));
