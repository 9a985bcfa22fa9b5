// relay.mjs PORT: the relay of bench-relay as a Colyseus room: two clients, what one says the other hears.
import { Room, Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";

class Relay extends Room {
  maxClients = 2;
  onCreate() {
    this.onMessage("say", (client, message) => {
      for (const other of this.clients) if (other !== client) other.send("say", message);
    });
  }
}

const server = new Server({ transport: new WebSocketTransport({}), greet: false });
server.define("relay", Relay);
await server.listen(Number(process.argv[2]), "127.0.0.1");
console.log("ready");
