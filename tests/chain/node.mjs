// node.mjs — real nodes for the tests of this folder.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import path from "node:path";

export const ANVIL = process.env.ANVIL ?? path.resolve(process.env.NPM || "build/npm", "contracts/node_modules/.bin/anvil");      // chain/contracts pins it
export const CHAIN = 31337;

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function call(url, method, ...params) {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  const answer = await response.json();
  assert.ok(!answer.error, JSON.stringify(answer.error));
  return answer.result;
}

export async function startAnvil(t, timestamp = 1700000000, ...more) {
  const port = await freePort(), url = `http://127.0.0.1:${port}`;
  const child = spawn(ANVIL, ["--port", port, "--chain-id", CHAIN, "--timestamp", timestamp, "--silent", ...more], { stdio: "ignore" });
  t.after(() => { child.kill("SIGCONT"); child.kill("SIGKILL"); });
  for (let i = 0; i < 400; i++) {
    if (await call(url, "eth_chainId").catch(() => null)) return { url, port, child };
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail("anvil does not answer");
}
