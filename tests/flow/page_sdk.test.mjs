// page_sdk.test.mjs: what a plugin's page computes by itself: merge patches, amounts, words. Then the client against a stand-in for the shell.
import assert from "node:assert/strict";
import { checks } from "./host.mjs";

// The module listens for the shell's hello as soon as it is loaded.
const shell = {};
let hear;
globalThis.window = { parent: shell };
globalThis.addEventListener = (name, listener) => { if (name === "message") hear = listener; };
globalThis.removeEventListener = () => {};
globalThis.document = { documentElement: { dataset: {}, style: { setProperty() {} } } };
const { applyPatch, connect, formatUnits } = await import("../../host/gateway/web/sdk/frond.js");
const { words } = await import("../../host/gateway/web/sdk/kit.js");
const { check, end } = checks();

await check("page: merge patches as in RFC 7396, appendix A", () => {
  const cases = [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'], ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'], ['{"a":"b"}', '{"a":null}', "{}"],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'], ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'], ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'], ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'], ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'], ['{"a":"foo"}', "null", "null"], ['{"a":"foo"}', '"bar"', '"bar"'], ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ["[1,2]", '{"a":"b","c":null}', '{"a":"b"}'], ["{}", '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ];
  for (const [target, patch, want] of cases) assert.deepEqual(applyPatch(JSON.parse(target), JSON.parse(patch)), JSON.parse(want), `${target} with ${patch}`);
});

await check("page: a patch changes no object that was given out, and no prototype", () => {
  const before = JSON.parse('{"a":{"b":1},"kept":{"c":2}}');
  const after = applyPatch(before, JSON.parse('{"a":{"b":2},"__proto__":{"bad":true},"constructor":{"x":1}}'));
  assert.equal(before.a.b, 1);
  assert.equal(after.a.b, 2);
  assert.equal(after.kept, before.kept);
  assert.equal({}.bad, undefined);
  assert.equal(after.bad, undefined);
  assert.equal(Object.x, undefined);
});

await check("page: amounts are exact text", () => {
  const cases = [["0", "0"], ["1", "0.000000001"], ["1000000000", "1"], ["12500000000", "12.5"], ["1000000000000", "1,000"], ["100000000000000000", "100,000,000"],
    ["-10000000000", "\u221210"], ["9007199254740993000000001", "9,007,199,254,740,993.000000001"]];
  for (const [units, want] of cases) assert.equal(formatUnits(units), want);
  assert.equal(formatUnits("150", 0), "150");
});

// ---- against a stand-in for the shell
const channel = new MessageChannel();
const asked = [];
const answers = { info: { plugin: "duel", player: { id: "7", name: "Ann" }, matches: [] }, theme: { scheme: "dark", vars: {} } };
let hold = null;
channel.port1.onmessage = ({ data }) => {
  asked.push(data);
  if (data.op === "match.input" && hold) { hold.push(data); return; }
  channel.port1.postMessage(data.op === "call" ? { id: data.id, ok: false, error: { code: "no_luck", detail: "not today" } } : { id: data.id, ok: true, result: answers[data.op] ?? {} });
};
const tell = (event) => new Promise((resolve) => { channel.port1.postMessage(event); setTimeout(resolve, 20); });
let frond;

await check("page: only the shell's own hello, with a port, is heard", async () => {
  const connecting = connect({ timeoutMs: 5000 });
  hear({ source: {}, data: { frond: "hello", v: 1 }, ports: [new MessageChannel().port1] });       // another window
  hear({ source: shell, data: { frond: "hello", v: 1 }, ports: [] });
  hear({ source: shell, data: { frond: "hello", v: 1 }, ports: [channel.port2] });
  frond = await connecting;
  assert.equal(frond.info.player.name, "Ann");
  assert.equal(frond.theme.scheme, "dark");
});

await check("page: a refusal is an answer, never thrown; silence is one too", async () => {
  assert.deepEqual(await frond.call("greet"), { ok: false, code: "no_luck", detail: "not today" });
  hold = [];
  const reply = await frond.request("match.input", { match: "m" }, { timeoutMs: 30 });
  assert.equal(reply.code, "timeout");
  hold = null;
});

await check("page: the view follows starts and patches; repeated events change nothing, a gap asks again", async () => {
  const seen = [];
  frond.on("view", (match) => seen.push(match.view.round));
  const start = { ev: "match.start", match: "m1", game: "duel", mode: "classic", seat: 1, stake: "0", asset: "PALM", players: [], view: { round: 1, hand: ["f1"] }, seq: 1, turn_ms: 20000, now_ms: Date.now(), n: 0 };
  await tell(start);
  await tell({ ev: "match.patch", match: "m1", seq: 2, patch: { round: 2, hand: null }, now_ms: Date.now() });
  await tell({ ev: "match.patch", match: "m1", seq: 2, patch: { round: 99 }, now_ms: Date.now() });
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(frond.matches.get("m1").view, { round: 2 });
  await tell({ ev: "match.patch", match: "m1", seq: 4, patch: { round: 4 }, now_ms: Date.now() });
  assert.deepEqual(asked.filter((one) => one.op === "match.resume").map((one) => [one.match, one.from]), [["m1", 2]]);
  await tell({ ...start, seq: 4, view: { round: 4 } });
  assert.equal(frond.matches.get("m1").view.round, 4);
});

await check("page: an end is told once, also when it has the number of a fresh start", async () => {
  let ends = 0;
  frond.on("end", () => ends++);
  for (let i = 0; i < 2; i++) await tell({ ev: "match.end", match: "m1", seq: 4, reason: "played", places: [[1], [2]], payout: "0", net: "0" });
  assert.equal(ends, 1);
});

await check("page: whether the line is up is told once and as it is", async () => {
  const told = [];
  frond.on("connection", (online) => told.push(online));
  await tell({ ev: "connection", online: false });
  assert.deepEqual([told, frond.online], [[false], false]);
  await tell({ ev: "connection", online: true });
  assert.deepEqual([told, frond.online], [[false, true], true]);
});

await check("page: the clock is the latest that was told: what comes again, or late, does not set it back", async () => {
  const near = (ms) => assert.ok(Math.abs(frond.now() - ms) < 1000, `${frond.now() - ms} ms off`);
  near(Date.now());
  await tell({ ev: "match.start", match: "m2", game: "duel", mode: "classic", seat: 1, stake: "0", asset: "PALM", players: [], view: {}, seq: 1, turn_ms: 20000, now_ms: Date.now() - 15000 });
  near(Date.now());
  await tell({ ev: "match.patch", match: "m2", seq: 2, patch: {}, now_ms: Date.now() + 60000 });      // the host's clock is ahead of this device's
  near(Date.now() + 60000);
  answers["match.resume"] = { seq: 2, complete: true, now_ms: Date.now() + 90000 };
  await frond.match.resume("m2");
  near(Date.now() + 90000);
});

await check("page: a watched match has no seat; its events come as those of one's own, once and until its end", async () => {
  const seen = [];
  frond.on("view", (match, event) => { if (match.watched) seen.push([event.ev, match.view.round]); });
  frond.on("match.event", (event) => seen.push([event.name, event.data]));
  frond.on("end", (match, event) => { if (match.watched) seen.push(["end", event.reason]); });
  assert.equal(frond.watching, null);
  const start = { ev: "watch.start", match: "w1", seq: 5, game: "duel", mode: "classic", stake: "0", asset: "PALM", turn_ms: 20000, delay_ms: 3000, players: [], now_ms: Date.now(), view: { round: 1, left: 3 } };
  await tell({ ev: "watch.patch", match: "w1", seq: 5, now_ms: 1, patch: { round: 9 } });               // before it began: nothing
  await tell(start);
  for (let i = 0; i < 2; i++) await tell({ ev: "watch.patch", match: "w1", seq: 6, now_ms: Date.now(), patch: { round: 2, left: null } });
  await tell({ ev: "watch.event", match: "w1", seq: 7, name: "smile", data: 1 });
  await tell({ ...start, seq: 9, view: { round: 4 } });                                                   // the shell began again
  for (let i = 0; i < 2; i++) await tell({ ev: "watch.end", match: "w1", seq: 10, reason: "played", places: [[1], [2]], hash: "" });
  await tell({ ev: "watch.patch", match: "w1", seq: 11, now_ms: Date.now(), patch: { round: 5 } });
  assert.deepEqual(seen, [["watch.start", 1], ["watch.patch", 2], ["smile", 1], ["watch.start", 4], ["end", "played"]]);
  const { seat, watched, delayMs, turnMs, end: told } = frond.matches.get("w1");
  assert.deepEqual([seat, watched, delayMs, turnMs, told.reason], [null, true, 3000, 20000, "played"]);
  assert.deepEqual([frond.matches.get("m2").watched, frond.matches.get("m2").delayMs], [false, 0]);
});

await check("page: amounts have the separators of the language", () => assert.equal(formatUnits("1234500000000", 9, "de"), "1.234,5"));

await check("kit: a game's words go before the kit's, in the game's languages; the first one stands in for what another lacks", () => {
  const { t, speak, language, knows, called, refused, amount, signed } = words({ en: { title: "Moon Race", find: "To the start", "refused.no_fuel": "No fuel." }, ko: { title: "달 경주" } });
  assert.deepEqual([t("title"), t("find"), t("cancel"), language()], ["Moon Race", "To the start", "Cancel", "en"]);
  speak(["fr", "ko-KR", "en"]);
  assert.deepEqual([t("title"), t("find"), t("cancel"), language(), document.documentElement.lang, document.title], ["달 경주", "상대 찾기", "취소", "ko", "ko", "달 경주"]);
  assert.deepEqual([called({ name: "Ann", bot: false }), called({ name: "x", bot: true })], ["Ann 님", "봇"]);
  assert.deepEqual([refused("no_fuel"), refused("timeout"), refused("whatever")], ["No fuel.", "아직 답이 없어요. 다시 해 주세요.", "답이 들어가지 않았어요. (whatever)"]);
  assert.deepEqual([amount("12500000000"), signed("1000000000"), signed("-1000000000"), knows("refused.no_fuel"), knows("refused.x")], ["12.5", "+1", "\u22121", true, false]);
  speak(["fr"]);
  assert.equal(t("cancel"), "Cancel");
  const german = words({ de: { title: "Mondrennen" } });          // the kit does not speak it: its English stands in
  german.speak(["ko", "en"]);
  assert.deepEqual([german.language(), german.t("title"), german.t("cancel")], ["de", "Mondrennen", "Cancel"]);
});

channel.port1.close();
end();
