// Sends numbered lines with gelf-pro: node gelf.mjs udp|tcp PORT COUNT
import gelf from "gelf-pro";

const [adapter, port, count] = process.argv.slice(2);
gelf.setConfig({
  adapterName: adapter,
  adapterOptions: { host: "127.0.0.1", port: Number(port) },
  fields: { sender: "gelf-pro" },
});
for (let i = 0; i < Number(count); i++) {
  await new Promise((done, failed) =>
    gelf.info(`gelf-pro ${adapter} ${i}`, { number: i }, (error) => (error ? failed(error) : done())),
  );
}
