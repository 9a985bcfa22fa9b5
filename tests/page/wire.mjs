// wire.mjs: a wire between a browser and the host that a test can cut, or make silent without cutting it.
import net from "node:net";

/**
 * Modes: "open"; "cut": what is there ends, nothing new comes through; "deaf": the host hears the browser, the browser hears nothing;
 * "silent": what is open now carries nothing more in either direction and does not end, what is opened later works.
 * @param {() => string} host address of the host  @returns {Promise<{url: string, set: (mode: string) => void, close: () => void}>}
 */
export async function startWire(host) {
  const pairs = new Set();
  let mode = "open";
  const server = net.createServer((near) => {
    if (mode === "cut") return near.destroy();
    const { hostname, port } = new URL(host()), far = net.connect(Number(port), hostname), pair = { near, far, silent: false };
    pairs.add(pair);
    near.on("data", (bytes) => { if (!pair.silent) far.write(bytes); });
    far.on("data", (bytes) => { if (!pair.silent && mode !== "deaf") near.write(bytes); });
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on("error", () => {});
      one.on("close", () => { if (!pair.silent) { other.destroy(); pairs.delete(pair); } });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    set(to) {
      mode = to;
      for (const pair of [...pairs]) {
        if (to === "cut") { pair.near.destroy(); pair.far.destroy(); pairs.delete(pair); }
        if (to === "silent") pair.silent = true;
      }
    },
    close() {
      for (const { near, far } of pairs) { near.destroy(); far.destroy(); }
      server.close();
    },
  };
}
