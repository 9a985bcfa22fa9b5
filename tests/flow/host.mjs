// host.mjs: a running host for a test: `frond serve --dev` on a free port, with a data folder of its own that goes away with it.
import { spawn } from "node:child_process";
import { webcrypto } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import readline from "node:readline";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const BUILD = path.resolve(ROOT, process.env.BUILD ?? "build");
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const START_MS = 60000;

globalThis.crypto ??= webcrypto;      // modules of the pages run in tests too, and Node 18 has it in a module only

/** Starts a host and waits for its `ready` line. Without a chain and without the built-in model unless they are asked for: they are not what most tests are about, and each takes a second and a process.
 * @param {{data?: string, listen?: string, args?: string[], chain?: boolean, models?: boolean}} [options] `data` of an earlier host, to start again on it
 * @returns {Promise<{url: string, data: string, log: string[], child: import("node:child_process").ChildProcess, stop: (signal?: string) => Promise<number>, clean: () => void}>} */
export async function startHost({ data = mkdtempSync(path.join(tmpdir(), "frond-flow-")), listen = "127.0.0.1:0", args = [], chain = false, models = false } = {}) {
  const child = spawn(FROND, ["serve", "--dev", "--data", data, "--listen", listen, ...(chain ? [] : ["--no-chain"]), ...(models ? [] : ["--no-models"]), ...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);                              // also when a test throws before it can stop its host
  const log = [];
  const gone = new Promise((resolve) => child.on("exit", (code, signal) => { process.off("exit", kill); resolve(code ?? signal); }));
  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ready line within ${START_MS} ms\n${log.slice(-20).join("\n")}`)), START_MS);
    const line = (text) => {
      log.push(text);
      const found = /^ready (http:\/\/\S+)/.exec(text);
      if (found) { clearTimeout(timer); resolve(found[1]); }
    };
    readline.createInterface({ input: child.stdout }).on("line", line);
    readline.createInterface({ input: child.stderr }).on("line", line);
    child.on("error", reject);
    gone.then((how) => { clearTimeout(timer); reject(new Error(`the host left (${how}) before it was ready\n${log.slice(-20).join("\n")}`)); });
  });
  return {
    url: (await ready).replace(/\/$/, ""), data, log, child,
    stop: (signal = "SIGTERM") => { child.kill(signal); return gone; },
    clean: () => rmSync(data, { recursive: true, force: true }),
  };
}

/** Runs named checks one after the other and prints `ok NAME` or `not ok NAME`; the process fails when one of them did. */
export function checks() {
  let failed = 0;
  return {
    async check(name, body) {
      try {
        await body();
        console.log(`ok ${name}`);
      } catch (error) {
        failed++;
        console.log(`not ok ${name}`);
        console.log(String(error?.stack ?? error).replace(/^/gm, "  "));
      }
    },
    end() {
      process.exitCode = failed ? 1 : 0;
      setTimeout(() => { console.log("# something was left open"); process.exit(); }, 5000).unref();      // a check that failed may not have closed what it opened
    },
  };
}
