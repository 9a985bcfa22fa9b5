// txq.mjs — txq-tool (txq_tool.c) as an object, for the tests that drive it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import path from "node:path";
import { CHAIN, call } from "./node.mjs";

const BUILD = process.env.BUILD ?? "build";
export const TOOL = path.resolve(BUILD, "asan-gcc/txq-tool");
export const ME = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", YOU = "0x000000000000000000000000000000000000bEEF";
export const PAID = 1, REVERTED = 2, CANCELLED = 3, LOST = 4;
export const CANCEL = 1, AGAIN = 2;
export const hex = (n) => `0x${n.toString(16)}`;
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function folder(t) {
  const at = mkdtempSync(path.join(tmpdir(), "frond-txq-"));
  t.after(() => rmSync(at, { recursive: true, force: true }));
  return at;
}

/** The tool on a data folder: its answers in order, what it tells. */
export function open(t, data, endpoints, options = {}) {
  const { chain = CHAIN, ...rest } = options;
  const args = [chain, data, ...Object.entries(rest).map(([k, v]) => `${k}=${v}`), ...Object.entries(endpoints).map(([k, v]) => `${k}=${v}`)];
  const child = spawn(TOOL, args, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = [], news = [], events = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    if (message.news) news.push(message);
    else if (message.event) events.push(`${message.name}:${message.event}`);
    else waiting.shift()?.(message);
  });
  let ended = false;
  const exit = new Promise((resolve) => child.on("exit", (code, signal) => { ended = true; resolve(code ?? signal); }));
  const tell = (line) => child.stdin.write(line + "\n");
  const say = (line) => new Promise((resolve) => { waiting.push(resolve); tell(line); });
  const tool = {
    news, events, tell,
    put: (name, { to = YOU, value = 1, gas = 21000, data = "0x" } = {}) => say(`put ${name} ${to} ${value} ${gas} ${data}`),
    cancel: (name, how) => say(`cancel ${name} ${how}`),
    row: async (name) => (await say(`find ${name}`)).row,
    facts: async () => (await say("facts")).facts,
    metrics: async () => (await say("metrics")).metrics,
    heard: (kind, pattern = /./) => news.some((n) => n.news === kind && pattern.test(n.text)),
    until: async (what, seconds = 30) => {
      for (let i = 0; i < seconds * 20; i++) {
        if (await what()) return;
        await sleep(50);
      }
      assert.fail(`waited ${seconds} s for ${what}\n${JSON.stringify(await tool.facts())}\n${news.slice(-8).map((n) => n.text).join("\n")}\n${events}`);
    },
    ended: (name, end) => tool.until(async () => { const r = await tool.row(name); return r.end === end && r.ends === 1; }),
    kill: async () => { child.kill("SIGKILL"); return exit; },
    quit: async () => { if (!ended) child.stdin.write("quit\n"); return exit; },
  };
  t.after(async () => { if (!ended) assert.equal(await tool.quit(), 0, "the tool ends without a leak"); });
  return tool;
}
export const balance = async (node, who = YOU) => BigInt(await call(node.url, "eth_getBalance", who, "latest"));
