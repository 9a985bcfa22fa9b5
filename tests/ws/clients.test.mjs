// clients.test.mjs: npm's `ws` against host/net, as a third opinion: the same promises as clients_test.py, and the real host's /v1/socket.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import path from "node:path";
import readline from "node:readline";
import WebSocket from "ws";
import { BUILD, checks } from "../flow/host.mjs";

const LINES = 8, MESSAGES = 150, BYTES_MAX = 64 * 1024, PATIENCE_MS = 20000;
const seed = Number(process.env.SEED ?? randomInt(1e9));
console.log(`# seed ${seed}`);

/** Numbers in [0, n) from a seed: mulberry32. */
function numbers(from) {
  let a = from >>> 0;
  return (n) => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * n);
  };
}
const ALPHABET = ["a", "Z", " ", "\0", "\n", "\u0080", "é", "߿", "ࠀ", "한", "글", "\ud7ff", "\ue000", "\ufffd", "\ufeff", "😀", "\u{10ffff}"];
const someText = (rng) => Array.from({ length: [0, 1, 2, 41, 42, 125, 126, 127, 1000, 8000, 16000][rng(11)] }, () => ALPHABET[rng(ALPHABET.length)]).join("");
function someBytes(rng) {
  const bytes = Buffer.alloc([0, 1, 125, 126, 65535, BYTES_MAX, rng(BYTES_MAX)][rng(7)]);
  for (let i = 0; i < bytes.length; i++) bytes[i] = rng(256);
  return bytes;
}

const child = spawn(path.join(BUILD, "asan-gcc", "net-echo"), { stdio: ["ignore", "pipe", "inherit"] });
process.on("exit", () => child.kill("SIGKILL"));
const gone = new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal)));
const port = await new Promise((resolve) => readline.createInterface({ input: child.stdout }).on("line", (line) => resolve(line.replace("ready ", ""))));
const open = () => new Promise((resolve, reject) => {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/socket`, { perMessageDeflate: true });
  ws.once("open", () => resolve(ws));
  ws.once("error", reject);
});
const next = (ws, event) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error(`no ${event} came`)), PATIENCE_MS);
  ws.once(event, (...what) => { clearTimeout(timer); resolve(what); });
  if (event !== "close") ws.once("close", (code) => { clearTimeout(timer); reject(new Error(`closed with ${code}`)); });
});

async function line(number) {
  const rng = numbers(seed + number), ws = await open();
  ws.setMaxListeners(0);
  assert.equal(ws.extensions, "", "compression was agreed");
  for (let i = 0; i < MESSAGES; i++) {
    const binary = rng(10) >= 6, message = binary ? someBytes(rng) : someText(rng), raw = Buffer.from(message);
    const back = next(ws, "message");
    if (rng(10) < 4) {                               // in pieces, cut anywhere: a character may be cut too
      let at = 0;
      for (let left = rng(8); left > 0; left--) {
        const to = at + rng(raw.length - at + 1);
        ws.send(raw.subarray(at, to), { binary, fin: false });
        at = to;
      }
      ws.send(raw.subarray(at), { binary, fin: true });
    } else ws.send(message);
    if (rng(10) === 0) {
      const data = Buffer.from("ping" + i), pong = next(ws, "pong");
      ws.ping(data);
      assert.deepEqual((await pong)[0], data);
    }
    const [got, isBinary] = await back;
    assert.equal(isBinary, binary);
    assert.ok(raw.equals(got), `${raw.length} bytes came back as ${got.length}`);
    ws.removeAllListeners("close");
  }
  ws.close(1000);
  assert.equal((await next(ws, "close"))[0], 1000);
}

const { check, end } = checks();
await check(`npm ws: ${LINES * MESSAGES} random messages on ${LINES} lines come back as they went`, () => Promise.all(Array.from({ length: LINES }, (_, i) => line(i))));
await check("npm ws: 500 messages sent before the first is read keep their order", async () => {
  const ws = await open(), rng = numbers(seed), sent = Array.from({ length: 500 }, () => Array.from(someText(rng)).slice(0, 200).join("")), got = [];
  ws.on("message", (text) => got.push(text.toString()));
  for (const text of sent) ws.send(text);
  const pong = next(ws, "pong");
  ws.ping();
  await pong;
  assert.equal(createHash("sha256").update(JSON.stringify(got)).digest("hex"), createHash("sha256").update(JSON.stringify(sent)).digest("hex"));
  ws.terminate();
});
await check("npm ws: close codes agree", async () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999]) {
    const ws = await open(), closed = next(ws, "close");
    ws.close(code, "why");
    assert.equal((await closed)[0], code);
  }
});
await check("npm ws: 1009 past the bound", async () => {
  const ws = await open(), closed = next(ws, "close");
  ws.send("x".repeat(BYTES_MAX + 1));
  assert.equal((await closed)[0], 1009);
});
child.kill("SIGTERM");
await check("npm ws: nothing is left, no leak, nothing undefined", async () => assert.equal(await gone, 0));
end();
