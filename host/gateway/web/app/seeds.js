// seeds.js: the player's share of a match's randomness. Before a match the host learns only the hash of a seed made here; once the host has
// committed to its own, the seed is told. So neither side can choose what is dealt, and afterwards the page can check that.

import { verifyMatch } from "/sdk/verify.js";
import { forget, read, write } from "/app/kept.js";

const SEEDS = "seeds.";              // per game: seeds whose hashes the host knows. Kept over a reload: the host may ask just then
const DEALS = "deal.";               // per match: what the host had committed to when we told our seed
const SEEDS_MAX = 8;
const TOLD = "told", TOLD_MAX = 32;  // of matches that ended: the promise and the last hash, to be compared with what the host tells later

/** Makes a seed for a match of `game` and returns its hash, or undefined where the page has no crypto (plain HTTP over a network). */
export async function commitSeed(game) {
  if (!crypto.subtle) return undefined;
  const seed = hex(crypto.getRandomValues(new Uint8Array(32)));
  write(SEEDS + game, [seed, ...read(SEEDS + game, [])].slice(0, SEEDS_MAX));
  return sha256(seed);
}

/** Tells our seed when the host asks. The event does not name the search it came from, so each open seed is offered, newest first. */
export async function revealSeed(host, { match, game, commit }) {
  for (const seed of read(SEEDS + game, [])) {
    try {
      await host.request("match.seed", { match, seed });
    } catch (error) {
      if (error.code === "seed_wrong") continue;
      return;
    }
    write(SEEDS + game, read(SEEDS + game, []).filter((other) => other !== seed));
    write(DEALS + match, { commit, seed });
    return;
  }
}

/** True when the match was dealt from the seed that the host had committed to, and from ours; null when this page cannot know.
 * @param {{match: string, fairness: {server_seed: string, seeds: {seat: number, seed: string}[]}}} end */
export async function checkDeal(end, seat) {
  const deal = read(DEALS + end.match, null);
  forget(DEALS + end.match);
  write(TOLD, [{ match: end.match, commit: deal?.commit, hash: end.hash }, ...read(TOLD, []).filter((one) => one.match !== end.match)].slice(0, TOLD_MAX));
  if (!deal || !end.fairness?.server_seed) return null;
  const ours = end.fairness.seeds?.find((one) => one.seat === seat)?.seed;
  return await sha256(end.fairness.server_seed) === deal.commit && ours === deal.seed;
}

/** What this browser was told of a match while it played, for a later check. @returns {{commit?: string, hash?: string}} */
export const toldOf = (match) => read(TOLD, []).find((one) => one.match === match) ?? {};

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const bytesOf = (text) => new Uint8Array(text.match(/../g).map((pair) => parseInt(pair, 16)));
const sha256 = async (text) => hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(text))));
