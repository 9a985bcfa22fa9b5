// Launch data against @tma.js/init-data-node: what we mint it accepts, what it signs we accept, what was changed both refuse.
// Known difference: it sorts "name=value" texts and we sort names, as Telegram does; for the names Telegram uses the order is the same.
import test from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync, sign, webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
import path from "node:path";

const TOKEN = "1234567:FAKE-token-for-tests-only-aaaaaaaaaaaa";
const OTHER = "1234568:FAKE-token-for-tests-only-bbbbbbbbbbbb";
const ROUNDS = 300;
globalThis.crypto ??= webcrypto;                  // Node 18 has it in a module only, and the library wants it
const oracle = await import("@tma.js/init-data-node").catch(() => null);
const skip = oracle ? false : "@tma.js/init-data-node is not installed";

/** One of our tools, one answer per line asked; it ends with the test. */
function openTool(t) {
  const child = spawn(path.resolve(process.env.BUILD ?? "build", "initdata-tool"), { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  t.after(() => child.stdin.end());
  const ask = async (...fields) => {
    child.stdin.write(fields.join("\t") + "\n");
    const { value, done } = await lines.next();
    assert.ok(!done, "the tool ended");
    return value.split("\t");
  };
  return {
    verify: (query, { token = TOKEN, nowMs = Date.now() } = {}) => ask("verify", Math.trunc(nowMs), token, query),
    third: (query, { key = telegramHex, nowMs = Date.now() } = {}) => ask("third", Math.trunc(nowMs), BOT, key, query),
    mint: (user, { token = TOKEN, date = nowS(), startParam = "" } = {}) => ask("mint", date, token, startParam, JSON.stringify(user)),
  };
}

const nowS = () => Math.trunc(Date.now() / 1000);

// A small generator of our own, so that a failure can be had again: SEED=n.
let seed = Number(process.env.SEED ?? 20261123);
console.log(`# seed ${seed}`);
function below(n) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
}
const pick = (list) => list[below(list.length)];
const LETTERS = [..."abcXYZ019 _-.~+%&=?#/\\\"'<>{}[]:;,|^`$@!*()", "é", "ß", "€", "\u{1F680}", "안", "\u200d", "\u00a0"];
const text = (most) => Array.from({ length: below(most + 1) }, () => pick(LETTERS)).join("");
const user = () => ({
  id: 1 + below(2 ** 31) * pick([1, 2, 1000]),
  first_name: text(20) || "A",
  ...(below(2) ? { last_name: text(10) } : {}),
  ...(below(2) ? { username: "user_" + below(1e6) } : {}),
  ...(below(2) ? { language_code: pick(["en", "de", "pt-br"]) } : {}),
  ...(below(2) ? { is_premium: true, photo_url: "https://t.me/i/userpic/320/" + below(1e6) + ".svg" } : {}),
});
const startParam = () => (below(2) ? "ref_" + below(1e9) : "");
const theyAccept = (query, token = TOKEN) => oracle.isValid(query, token);
const fields = (query) => JSON.stringify([...new URLSearchParams(query)].sort());

/** Signed by them, with whatever fields Telegram might add. */
function theySign(date = nowS() - below(86000), token = TOKEN) {
  const who = user();
  const param = startParam();
  const query = oracle.sign({
    user: who,
    ...(param ? { start_param: param } : {}),
    ...(below(2) ? { query_id: "AA" + below(1e9) } : {}),
    ...(below(2) ? { chat_type: pick(["private", "sender", "group"]), chat_instance: String(below(1e9)) } : {}),
    ...(below(2) ? { signature: "sig-_" + below(1e9) } : {}),
  }, token, new Date(date * 1000));
  return { query, who, param };
}

test("what we mint they accept", { skip }, async (t) => {
  const tool = openTool(t);
  for (let i = 0; i < ROUNDS; i++) {
    const who = user();
    const [verdict, query] = await tool.mint(who, { date: nowS() - below(86000), startParam: startParam() });
    assert.equal(verdict, "ok");
    assert.ok(theyAccept(query), query);
    assert.equal(oracle.parse(query).user.id, who.id);
    assert.equal(JSON.parse(new URLSearchParams(query).get("user")).first_name, who.first_name);
  }
});

test("what they sign we accept", { skip }, async (t) => {
  const tool = openTool(t);
  for (let i = 0; i < ROUNDS; i++) {
    const { query, who, param } = theySign();
    assert.deepEqual(await tool.verify(query), ["ok", String(who.id), param], query);
    assert.deepEqual(await tool.verify(query.replaceAll("+", "%20")), ["ok", String(who.id), param], query);
  }
});

test("what was changed on the way both refuse", { skip }, async (t) => {
  const tool = openTool(t);
  let changed = 0;
  while (changed < ROUNDS) {
    const { query } = theySign();
    const at = below(query.length);
    const edit = pick(["swap", "drop", "double", "cut"]);
    const bad = edit === "swap" ? query.slice(0, at) + pick([..."abcdef0123456789"]) + query.slice(at + 1)
      : edit === "drop" ? query.slice(0, at) + query.slice(at + 1)
      : edit === "double" ? query.slice(0, at) + query[at] + query.slice(at)
      : query.slice(0, at);
    if (fields(bad) === fields(query)) continue;             // another spelling of the same fields
    changed++;
    assert.equal(theyAccept(bad), false, bad);
    assert.equal((await tool.verify(bad))[0], "no", bad);
  }
});

test("fields left out or added both refuse", { skip }, async (t) => {
  const tool = openTool(t);
  for (let i = 0; i < ROUNDS; i++) {
    const { query } = theySign();
    const less = new URLSearchParams(query), more = new URLSearchParams(query);
    less.delete(pick([...less.keys()]));
    more.append("extra", "1");
    for (const bad of [less.toString(), more.toString()]) {
      assert.equal(theyAccept(bad), false, bad);
      assert.equal((await tool.verify(bad))[0], "no", bad);
    }
  }
});

test("another bot's and stale data both refuse", { skip }, async (t) => {
  const tool = openTool(t);
  const mine = theySign(nowS() - 100).query, old = theySign(nowS() - 86400 - 60).query;
  assert.equal(theyAccept(mine, OTHER), false);
  assert.deepEqual(await tool.verify(mine, { token: OTHER }), ["no", "launch_bad_hash"]);
  assert.equal(theyAccept(old), false);
  assert.deepEqual(await tool.verify(old), ["no", "launch_stale"]);
});

test("we also refuse what they let through", { skip }, async (t) => {
  const tool = openTool(t);
  const good = theySign(nowS() - 100).query;
  const hash = new URLSearchParams(good).get("hash");
  assert.deepEqual(await tool.verify(theySign(nowS() + 3600).query), ["no", "launch_future"]);
  assert.deepEqual(await tool.verify(`hash=${hash}&${good}`), ["no", "launch_duplicate_key"]);
  assert.deepEqual(await tool.verify(good.replace("&hash=", "&h%61sh=0&hash=")), ["no", "launch_duplicate_key"]);
  assert.deepEqual(await tool.verify(good.replace(hash, hash.toUpperCase())), ["no", /[a-f]/.test(hash) ? "launch_bad_hash" : "impossible"]);
  assert.deepEqual(await tool.verify(good + "&x=%zz"), ["no", "launch_malformed"]);
  assert.deepEqual(await tool.verify(""), ["no", "launch_malformed"]);
  assert.deepEqual(await tool.verify("a=" + "b".repeat(4096)), ["no", "launch_too_long"]);
  assert.deepEqual(await tool.verify(oracle.sign({ query_id: "q" }, TOKEN, new Date())), ["no", "launch_no_user"]);
  assert.deepEqual(await tool.verify("user=%7B%7D&auth_date=1"), ["no", "launch_no_hash"]);
});

// ---- without a secret: signed by Telegram, that is here by a key of our own. The library knows Telegram's keys only, so it is handed ours
// in the place of Telegram's when it imports that.
const TELEGRAM_KEY = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d";
const BOT = 7342037359;
const telegram = generateKeyPairSync("ed25519");
const telegramHex = Buffer.from(telegram.publicKey.export({ format: "jwk" }).x, "base64url").toString("hex");

function withOurKey(t) {
  const real = webcrypto.subtle.importKey;
  webcrypto.subtle.importKey = function (format, data, ...rest) {
    const hex = Buffer.from(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength).toString("hex");
    return real.call(webcrypto.subtle, format, hex === TELEGRAM_KEY ? Buffer.from(telegramHex, "hex") : data, ...rest);
  };
  t.after(() => { webcrypto.subtle.importKey = real; });
}

function telegramSigns({ date = nowS() - below(86000), bot = BOT, key = telegram.privateKey } = {}) {
  const who = user(), param = startParam();
  const query = new URLSearchParams({
    user: JSON.stringify(who), auth_date: String(date),
    ...(param ? { start_param: param } : {}),
    ...(below(2) ? { query_id: "AA" + below(1e9) } : {}),
    ...(below(2) ? { chat_type: pick(["private", "sender", "group"]), chat_instance: String(below(1e9)) } : {}),
  });
  const text = [...query].map(([k, v]) => `${k}=${v}`).sort().join("\n");
  query.set("signature", sign(null, Buffer.from(`${bot}:WebAppData\n${text}`), key).toString("base64url"));
  query.set("hash", "0".repeat(64));                         // theirs is by a token that we do not have
  return { query: query.toString(), who, param };
}

test("what Telegram's key signs both accept", { skip }, async (t) => {
  withOurKey(t);
  const tool = openTool(t);
  for (let i = 0; i < ROUNDS; i++) {
    const { query, who, param } = telegramSigns();
    assert.equal(await oracle.isValid3rd(query, BOT), true, query);
    assert.deepEqual(await tool.third(query), ["ok", String(who.id), param], query);
  }
});

test("what was changed after Telegram's key signed it both refuse", { skip }, async (t) => {
  withOurKey(t);
  const tool = openTool(t);
  for (let changed = 0; changed < ROUNDS;) {
    const { query } = telegramSigns();
    const at = below(query.length), edit = pick(["swap", "drop", "double", "cut"]);
    const bad = edit === "swap" ? query.slice(0, at) + pick([..."abcdef0123456789"]) + query.slice(at + 1)
      : edit === "drop" ? query.slice(0, at) + query.slice(at + 1)
      : edit === "double" ? query.slice(0, at) + query[at] + query.slice(at)
      : query.slice(0, at);
    const signed = (text) => JSON.stringify([...new URLSearchParams(text)].filter(([k]) => k !== "hash").sort());
    if (signed(bad) === signed(query)) continue;             // `hash` is not signed, and there are other spellings of the same fields
    if (Buffer.from(new URLSearchParams(bad).get("signature") ?? "", "base64url").equals(Buffer.from(new URLSearchParams(query).get("signature"), "base64url")) &&
        signed(bad.replace(/signature=[^&]*/, "")) === signed(query.replace(/signature=[^&]*/, ""))) continue;      // another spelling of the signature: ours has one
    changed++;
    assert.equal(await oracle.isValid3rd(bad, BOT).catch(() => false), false, bad);
    assert.equal((await tool.third(bad))[0], "no", bad);
  }
});

test("another bot's, another key's, stale and unsigned launches both refuse", { skip }, async (t) => {
  withOurKey(t);
  const tool = openTool(t), other = generateKeyPairSync("ed25519").privateKey;
  for (const [query, code] of [
    [telegramSigns({ bot: BOT + 1, date: nowS() - 100 }).query, "launch_bad_signature"],
    [telegramSigns({ key: other, date: nowS() - 100 }).query, "launch_bad_signature"],
    [telegramSigns({ date: nowS() - 86400 - 60 }).query, "launch_stale"],
    [telegramSigns({ date: nowS() - 100 }).query.replace(/&signature=[^&]*/, ""), "launch_no_signature"],
    [theySign(nowS() - 100).query.replace(/&signature=[^&]*/, ""), "launch_no_signature"],      // our own token's HMAC proves nothing here
  ]) {
    assert.equal(await oracle.isValid3rd(query, BOT).catch(() => false), false, query);
    assert.deepEqual(await tool.third(query), ["no", code], query);
  }
  assert.deepEqual(await tool.third(telegramSigns({ date: nowS() + 3600 }).query), ["no", "launch_future"]);      // the library lets it through
});

test("Telegram's own key, on the example that the library publishes", { skip }, async (t) => {
  const tool = openTool(t);
  const query = "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C" +
    "%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D" +
    "&chat_instance=8134722200314281151&chat_type=private&auth_date=1733584787&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6" +
    "&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ";
  assert.equal(await oracle.isValid3rd(query, BOT, { expiresIn: 0 }), true);
  assert.deepEqual(await tool.third(query, { key: TELEGRAM_KEY, nowMs: 1733584787000 }), ["ok", "279058397", ""]);
});
