// Sends numbered lines with @fluent-org/logger: node forward.mjs PORT MODE COUNT. Ends when all are acknowledged.
import { FluentClient } from "@fluent-org/logger";

const [port, eventMode, count] = process.argv.slice(2);
const client = new FluentClient("node", {
  socket: { host: "127.0.0.1", port: Number(port), timeout: 5000 },
  eventMode,
  ack: { ackTimeout: 5000 },
});
const sent = [];
for (let i = 0; i < Number(count); i++) {
  sent.push(client.emit(eventMode, { log: `node ${eventMode} ${i}`, source: "client" }));
}
await Promise.all(sent);
await client.shutdown();
