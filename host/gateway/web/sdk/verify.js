// verify.js: a match checked in the browser from what GET /v1/matches/{id} tells its players once it has ended. The same steps as
// `frond match verify`, as far as they need neither the game's code nor the other seats' moves: promises and seeds, the random stream, the hash
// chain, the payout. Needs WebCrypto (HTTPS, or a loopback address).

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (text) => {
  if (typeof text !== "string" || text.length % 2 || !/^[0-9a-f]*$/i.test(text)) throw new Error("not hex");
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));
};
const utf8 = (text) => new TextEncoder().encode(text);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
const join = (...parts) => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
};
async function hmac(keyBytes, message) {
  const key = await crypto.subtle.importKey("raw", keyBytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}

/** The key of a match's random stream: HMAC-SHA256(host seed, id || 0x00 || for each seat a length byte (32 or 0) and its seed).
 * @param {{id: string, fairness: {server_seed: string, seeds: {seat: number, seed: string}[]}}} match */
export async function streamKey({ id, fairness }) {
  const parts = [utf8(id), Uint8Array.of(0)];
  for (const { seed } of fairness.seeds) parts.push(seed ? join(Uint8Array.of(32), bytesOf(seed)) : Uint8Array.of(0));
  return hmac(bytesOf(fairness.server_seed), join(...parts));
}

/** The draws of a stream, in order: `draw()` one of 64 bits, `int(lo, hi)` as m:int in a game gives it. Block i is HMAC-SHA256(key, i as 8 bytes
 * little-endian), read as four draws. @param {Uint8Array} key */
export function stream(key) {
  let next = 0n, block = null, blockNo = -1n;
  async function draw() {
    const n = next++;
    if (n / 4n !== blockNo) {
      const message = new DataView(new ArrayBuffer(8));
      blockNo = n / 4n;
      message.setBigUint64(0, blockNo, true);
      block = new DataView((await hmac(key, new Uint8Array(message.buffer))).buffer);
    }
    return block.getBigUint64(Number(n % 4n) * 8, true);
  }
  async function int(lo, hi) {
    const from = BigInt(lo), span = BigInt.asUintN(64, BigInt(hi) - from + 1n), whole = 1n << 64n;
    if (from === BigInt(hi)) return from;
    if (span === 0n) return BigInt.asIntN(64, await draw());
    const limit = whole - whole % span;
    let drawn;
    do drawn = await draw(); while (drawn >= limit);
    return from + drawn % span;
  }
  return { draw, int };
}

// ---- the chain

/** H(0) = SHA-256("frond.match.2" || SHA-256(setup) || SHA-256(opening)); H(n) = SHA-256(H(n-1) || SHA-256(record) || outcome || SHA-256(what its turn gave)). */
async function chainEnd({ setup_sha, payload0, hash0, links }) {
  let hash = await sha256(join(utf8("frond.match.2"), bytesOf(setup_sha), bytesOf(payload0)));
  if (hex(hash) !== hash0) return null;
  for (const [record, outcome, payload] of links) hash = await sha256(join(hash, bytesOf(record), Uint8Array.of(outcome), bytesOf(payload)));
  return hex(hash);
}

// ---- the payout

/** Units by basis points, what is left over to the largest remainders. */
function split(units, bps) {
  const parts = bps.map((one) => units * BigInt(one) / 10000n), rest = bps.map((one) => units * BigInt(one) % 10000n);
  for (let left = units - parts.reduce((a, b) => a + b, 0n); left > 0n; left--) {
    let best = 0;
    rest.forEach((one, i) => { if (one > rest[best]) best = i; });
    parts[best]++;
    rest[best] = -1n;
  }
  return parts;
}

/** True when the coins went where the places say, false when not. A game that divides the pot by shares is held to the sum. */
function payoutRight({ stake, players, rake, result, seat, place, payout, net }) {
  const seats = players.length, unit = BigInt(stake), pot = unit * BigInt(seats), paid = result.payout.map(BigInt);
  const rakeNames = ["plugin", "treasury", "burn", "author"], raked = rakeNames.map((name) => BigInt(result.rake[name] ?? 0));
  const sum = (list) => list.reduce((a, b) => a + b, 0n);
  if (paid.length !== seats || paid.some((one) => one < 0n) || sum(paid) + sum(raked) !== pot) return false;
  if (seat !== undefined && (BigInt(payout) !== paid[seat - 1] || BigInt(net) !== paid[seat - 1] - unit)) return false;
  const placeOf = (one) => result.places.findIndex((group) => group.includes(one)) + 1;
  if (seat !== undefined && place !== placeOf(seat)) return false;
  const placed = result.places.flat().sort((a, b) => a - b);
  if (result.void) return placed.length === 0 && paid.every((one) => one === unit);
  if (placed.length !== seats || placed.some((one, i) => one !== i + 1)) return false;
  if (result.places.length === 1 && seats > 1) return paid.every((one) => one === unit);
  if (pot === 0n) return true;
  const [whole, ...expected] = split(pot, [10000 - rake.reduce((a, b) => a + b, 0), ...rake]);
  if (expected.some((one, i) => one !== raked[i])) return false;
  const winners = result.places[0].length, byShares = paid.some((one, i) => one > 0n && placeOf(i + 1) !== 1);
  if (byShares) return true;
  let given = 0n;
  for (let i = 0; i < seats; i++) {
    const share = placeOf(i + 1) !== 1 ? 0n : whole / BigInt(winners) + (given++ < whole % BigInt(winners) ? 1n : 0n);
    if (share !== paid[i]) return false;
  }
  return true;
}

/** Checks a match step by step. `told`: what this browser was told while it played: the host's promise and the last hash, if it kept them.
 * @param {any} match  @param {{commit?: string, hash?: string}} [told]
 * @returns {Promise<{step: "host" | "seat" | "stream" | "chain" | "told" | "payout" | "unknown", ok: boolean | null, seat?: number, data?: [string, string][]}[]>} */
export async function verifyMatch(match, told = {}) {
  const { fairness, proof } = match, steps = [];
  const step = async (name, test, more = {}) => {
    let ok = false;
    try { ok = await test(more); } catch { /* what cannot be read is wrong */ }
    steps.push({ step: name, ok, ...more });
  };
  if (!globalThis.crypto?.subtle || match.state !== "ended" || !fairness?.server_seed) return [{ step: "unknown", ok: null }];
  await step("host", async () => hex(await sha256(bytesOf(fairness.server_seed))) === fairness.commit && fairness.server_seed.length === 64 && (told.commit ?? fairness.commit) === fairness.commit,
    { data: [["promise", fairness.commit], ["secret", fairness.server_seed]] });
  if (fairness.seeds?.length !== match.players?.length) steps.push({ step: "seat", ok: false });
  for (const [i, { seat, seed, commit }] of (fairness.seeds ?? []).entries()) {
    if (!seed && !commit) continue;
    await step("seat", async () => seat === i + 1 && (seed ? hex(await sha256(bytesOf(seed))) === commit : match.records === 0), { seat, data: [["promise", commit], ["secret", seed]] });
  }
  await step("stream", async (more) => {
    const key = await streamKey(match), { draw } = stream(key);
    more.data = [["key", hex(key)], ["draws", `${await draw()}, ${await draw()}, ${await draw()}`]];
    return true;
  });
  if (proof === null || proof === undefined) steps.push({ step: "chain", ok: null });
  else await step("chain", async () => proof.links.length === match.records && await chainEnd(proof) === match.hash, { data: [["hash", match.hash]] });
  if (told.hash) await step("told", () => told.hash === match.hash, { data: [["hash", told.hash]] });
  if (match.result) await step("payout", () => payoutRight(match));
  return steps;
}
