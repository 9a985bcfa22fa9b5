// `frond key`: both forms, exit codes, where a passphrase may come from, prompts without echo; keystores that ethers opens, and ethers' that we open.
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BUILD, draws, ethers } from "./signer.mjs";

const { Wallet, hexlify } = ethers;
const FROND = process.env.FROND ?? path.join(BUILD, "frond");
const work = mkdtempSync(path.join(tmpdir(), "frond-keys-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const at = (name) => path.join(work, name);
const secret = (name, text) => { writeFileSync(at(name), text, { mode: 0o600 }); return at(name); };
const pass = secret("pass", "correct horse\n");

/** Runs one command; `fd3` is a text that stands at descriptor 3. No terminal unless a test gives one. */
function frond(args, { fd3 } = {}) {
  const stdio = ["ignore", "pipe", "pipe"];
  if (fd3 !== undefined) stdio.push(openSync(secret("fd3", fd3), "r"));
  const run = spawnSync("setsid", ["-w", FROND, ...args], { stdio, encoding: "utf8", timeout: 60000 });
  if (fd3 !== undefined) closeSync(stdio[3]);
  return { code: run.status, out: run.stdout, err: run.stderr };
}
function json(args, code, options) {
  const r = frond(["--json", ...args], options);
  assert.equal(r.code, code, r.out + r.err);
  assert.equal(r.err, "");
  return JSON.parse(r.out);
}
function refused(args, code, options) {
  const doc = json(args, code === "usage" ? 2 : 1, options), text = frond(args, options);
  assert.equal(doc.code, code, doc.detail);
  assert.equal(text.err, `frond: ${doc.detail} (${doc.code})\n`);
  assert.equal(text.out, "");
  return doc;
}

test("a key is made, listed and opened; ethers opens it too", async () => {
  const { result } = json(["key", "new", at("a.json"), "--passphrase", pass], 0);
  assert.equal(statSync(at("a.json")).mode & 0o777, 0o600);
  assert.equal(result.kdf, "scrypt");
  assert.equal(result.cost, "n 262144, r 8, p 1");
  const wallet = Wallet.fromEncryptedJsonSync(readFileSync(at("a.json"), "utf8"), "correct horse");
  assert.equal(wallet.address, result.address);
  assert.equal(json(["key", "check", at("a.json"), "--passphrase", pass], 0).result.address, wallet.address);
  assert.equal(json(["key", "check", at("a.json"), "--passphrase-fd", "3"], 0, { fd3: "correct horse\r\n" }).result.address, wallet.address);
  writeFileSync(at("b.txt"), "no keystore");
  assert.deepEqual(json(["key", "list", work], 0).result.map((k) => [k.file, k.address]), [[at("a.json"), wallet.address]]);
  assert.match(frond(["key", "list", work]).out, new RegExp(`^address +kdf +cost +file\n${wallet.address} +scrypt`));
  assert.match(frond(["help", "key", "new"]).out, /--passphrase-fd N/);
});

test("20 keys from ethers are opened here, and 20 of ours there", () => {
  const random = draws(7);
  for (let i = 0; i < 20; i++) {
    const wallet = new Wallet(hexlify(random.bytes(32))), words = `pass ${i} ß☃`, file = secret(`words${i}`, words + "\n");
    writeFileSync(at(`theirs${i}.json`), wallet.encryptSync(words, { scrypt: { N: 1 << (1 + i % 12), r: 1 + i % 9, p: 1 + i % 3 } }));
    assert.equal(json(["key", "check", at(`theirs${i}.json`), "--passphrase", file], 0).result.address, wallet.address);
    const hex = secret(`hex${i}`, (i % 2 ? wallet.privateKey : wallet.privateKey.slice(2)) + (i % 3 ? "\n" : ""));
    const made = json(["key", "import", at(`ours${i}.json`), "--secret", hex, "--passphrase", file, "--light"], 0).result;
    assert.equal(made.address, wallet.address);
    assert.equal(Wallet.fromEncryptedJsonSync(readFileSync(at(`ours${i}.json`), "utf8"), words).privateKey, wallet.privateKey);
    assert.ok(!readFileSync(at(`ours${i}.json`), "utf8").includes(wallet.privateKey.slice(2)));
  }
});

test("refusals, each by its code", () => {
  json(["key", "new", at("c.json"), "--passphrase", pass, "--light"], 0);
  const before = readFileSync(at("c.json"));
  refused(["key", "new", at("c.json"), "--passphrase", pass, "--light"], "exists");
  assert.deepEqual(readFileSync(at("c.json")), before);
  refused(["key", "check", at("c.json"), "--passphrase", secret("wrong", "correct horsE")], "passphrase_wrong");
  refused(["key", "check", at("nothing.json"), "--passphrase", pass], "file");
  refused(["key", "check", at("pass"), "--passphrase", pass], "keystore_malformed");
  const greedy = JSON.parse(before);
  greedy.crypto.kdfparams.n = 1 << 30;
  writeFileSync(at("greedy.json"), JSON.stringify(greedy));
  refused(["key", "check", at("greedy.json"), "--passphrase", pass], "keystore_costs");
  const other = JSON.parse(before);
  other.address = "00".repeat(20);
  writeFileSync(at("other.json"), JSON.stringify(other));
  refused(["key", "check", at("other.json"), "--passphrase", pass], "keystore_foreign");
  refused(["key", "new", at("d.json"), "--passphrase", secret("empty", "\n")], "passphrase_empty");
  refused(["key", "new", at("d.json")], "passphrase_missing");                             // no terminal here
  refused(["key", "new", at("d.json"), "--passphrase", pass, "--passphrase-fd", "3"], "usage", { fd3: "x" });
  refused(["key", "new", at("d.json"), "--passphrase-fd", "9"], "usage");
  refused(["key", "new", at("d.json"), "--passphrase", secret("long", "x".repeat(1025))], "file");
  refused(["key", "new", path.join(work, "no/such/d.json"), "--passphrase", pass, "--light"], "file");
  for (const bad of ["", "0x", "00".repeat(32), "ff".repeat(32), "ab".repeat(31), "zz".repeat(32), "ab".repeat(33)])
    refused(["key", "import", at("d.json"), "--secret", secret("bad", bad), "--passphrase", pass, "--light"], "key_invalid");
  chmodSync(pass, 0o644);
  refused(["key", "check", at("c.json"), "--passphrase", pass], "file_open_to_others");
  chmodSync(pass, 0o600);
  refused(["key", "list", at("nowhere")], "file");
  refused(["key", "check", at("c.json"), "hunter2", "--passphrase", pass], "usage");       // a passphrase as an argument
  refused(["key", "neww"], "usage");
  assert.ok(!existsSync(at("d.json")));
});

// A terminal of Python's: what is typed at prompts, and what the screen shows.
const TERMINAL = `
import os, pty, sys, time
lines, command = sys.argv[1].split("|"), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0: os.execv(command[0], command)
seen, typed = b"", 0
while True:
    try: more = os.read(fd, 4096)
    except OSError: break
    if not more: break
    seen += more
    if more.endswith(b": ") and typed < len(lines):
        time.sleep(0.05)
        os.write(fd, b"\\x03" if lines[typed] == "^C" else lines[typed].encode() + b"\\n")
        typed += 1
status = os.waitpid(pid, 0)[1]
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(status))
`;
const typed = (lines, args) => spawnSync("python3", ["-c", TERMINAL, lines.join("|"), FROND, ...args], { encoding: "utf8", timeout: 60000 });

test("at a terminal it asks, twice for a new one, and shows nothing of it", () => {
  const made = typed(["open sesame", "open sesame"], ["key", "new", at("t.json"), "--light"]);
  assert.equal(made.status, 0, made.stdout);
  assert.match(made.stdout, /^Passphrase: \r\nThe same again: \r\naddress/);
  assert.ok(!made.stdout.includes("sesame"));
  const opened = typed(["open sesame"], ["key", "check", at("t.json")]);
  assert.equal(opened.status, 0, opened.stdout);
  assert.match(typed(["open sesamE"], ["key", "check", at("t.json")]).stdout, /passphrase_wrong/);
  assert.match(typed(["one", "other"], ["key", "new", at("u.json"), "--light"]).stdout, /passphrase_differs/);
  const key = "ab".repeat(32), imported = typed([key, "p", "p"], ["key", "import", at("v.json"), "--light"]);
  assert.equal(imported.status, 0, imported.stdout);
  assert.ok(!imported.stdout.includes(key) && imported.stdout.includes(new Wallet("0x" + key).address));
  assert.equal(typed(["^C"], ["key", "new", at("w.json"), "--light"]).status, 130);
  assert.ok(!existsSync(at("u.json")) && !existsSync(at("w.json")));
});
