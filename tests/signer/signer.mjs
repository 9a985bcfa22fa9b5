// signer.mjs: starts frond-signer as the host does, and speaks its frames (host/ipc/sign.h, chain/sign_wire.h).
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

export const ROOT = new URL("../..", import.meta.url).pathname;
export const BUILD = path.resolve(ROOT, process.env.BUILD || "build");
export const NPM = path.resolve(ROOT, process.env.NPM || "build/npm", "contracts");
export const ethers = createRequire(NPM + "/")("ethers");

export const KIND = { list: 32, tx: 33, permit: 34, siwe: 35, ready: 96, keys: 97, done: 98 };

/** Numbers from a seed, so that a case that failed comes again (mulberry32). */
export function draws(seed) {
  let a = seed >>> 0;
  const next = () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  const bytes = (n) => Uint8Array.from({ length: n }, () => next() & 255);
  return {
    below: (n) => next() % n,
    bytes,
    pick: (list) => list[next() % list.length],
    /** An integer of 0 to `bits` bits: small ones are as likely as large ones. */
    big: (bits) => {
      const n = next() % (bits + 1);
      return n === 0 ? 0n : BigInt(ethers.hexlify(bytes(Math.ceil(bits / 8) + 1))) & ((1n << BigInt(n)) - 1n);
    },
  };
}

const be = (value, len) => Buffer.from(BigInt(value).toString(16).padStart(2 * len, "0"), "hex");
const hex = (text) => Buffer.from(text.replace(/^0x/, ""), "hex");

export const wire = {
  tx: (t) => Buffer.concat([hex(t.from), Buffer.from([t.type === 2 ? 1 : 0]), be(t.chainId, 8), be(t.nonce, 8), be(t.gasLimit, 8),
    be(t.type === 2 ? t.maxFeePerGas : t.gasPrice, 32), be(t.type === 2 ? t.maxPriorityFeePerGas : 0, 32), hex(t.to), be(t.value, 32), hex(t.data)]),
  permit: (p) => Buffer.concat([hex(p.from), be(p.chainId, 8), hex(p.token), hex(p.spender), be(p.value, 32), be(p.nonce, 32), be(p.deadline, 8)]),
  siwe: (s) => Buffer.concat([hex(s.from), be(s.chainId, 8), be(s.issued, 8), be(s.expires, 8),
    ...[s.domain, s.statement ?? "", s.uri, s.nonce, s.resource ?? ""].flatMap((text) => [be(Buffer.byteLength(text), 2), Buffer.from(text)])]),
};

/** A running signer: `ask(kind, payload)` resolves to {signature} or {code, text}; `stop()` closes its channel and resolves to its exit code. */
export async function startSigner({ policy, passphrase, keystores }) {
  const work = mkdtempSync(path.join(tmpdir(), "frond-signer-"));
  const file = (name, text) => { writeFileSync(path.join(work, name), text); return openSync(path.join(work, name), name === "tally" ? "r+" : "r"); };
  const fds = [file("tally", ""), file("policy", JSON.stringify(policy)), file("passphrase", passphrase), ...keystores.map((k, i) => file(`key${i}`, k))];
  const child = spawn(process.env.FROND_SIGNER ?? path.join(BUILD, "frond-signer"), [String(keystores.length), String(process.pid)],
    { stdio: ["ignore", "ignore", "ignore", "pipe", ...fds], env: {}, argv0: "frond-signer" });
  for (const fd of fds) closeSync(fd);
  const channel = child.stdio[3], waiting = new Map();
  let bytes = Buffer.alloc(0), next = 1, ready;
  const begun = new Promise((done) => { ready = done; });
  const ended = new Promise((done) => child.on("exit", (code, signal) => {
    rmSync(work, { recursive: true, force: true });
    for (const answer of waiting.values()) answer({ code: "signer_lost", text: `it ended: ${signal ?? code}` });
    done(signal ?? code);
  }));
  channel.on("error", () => {});
  channel.on("data", (more) => {
    bytes = Buffer.concat([bytes, more]);
    let at = 0;
    for (; bytes.length - at >= 16 && bytes.length - at >= 16 + bytes.readUInt32LE(at);) {
      const len = bytes.readUInt32LE(at), kind = bytes[at + 4], status = bytes[at + 5], id = bytes.readUInt32LE(at + 8), payload = bytes.subarray(at + 16, at + 16 + len);
      at += 16 + len;
      if (kind === KIND.ready) { ready({ ok: status === 0, ...JSON.parse(payload) }); continue; }
      const answer = status === 0 ? { signature: "0x" + payload.toString("hex") } : { code: payload.subarray(4, 4 + payload.readUInt32LE(0)).toString(), text: payload.subarray(8 + payload.readUInt32LE(0)).toString() };
      waiting.get(id)(answer);
      waiting.delete(id);
    }
    bytes = bytes.subarray(at);
  });
  const frame = (kind, payload, id) => { const head = Buffer.alloc(16); head.writeUInt32LE(payload.length, 0); head[4] = kind; head.writeUInt32LE(id, 8); return Buffer.concat([head, payload]); };
  return {
    facts: await begun,
    ask: (kind, payload) => new Promise((done) => { const id = next++; waiting.set(id, done); channel.write(frame(kind, payload, id)); }),
    stop: () => { channel.end(); return ended; },
  };
}
