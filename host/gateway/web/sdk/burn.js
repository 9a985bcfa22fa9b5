// burn.js: the proof that a burn is under the Merkle root that lies on chain, computed again. Pure: no network; what the chain says is what the host read there, at a final block.
import { keccak256 } from "/sdk/keccak.js";

/** @param {string} text 0x.. @returns {Uint8Array} */
export function fromHex(text) {
  if (!/^0x([0-9a-fA-F]{2})*$/.test(text)) throw new Error("no hex");
  return Uint8Array.from(text.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
/** @param {Uint8Array} bytes */
export const toHex = (bytes) => `0x${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

/** A 32-byte word of the contract ABI. @param {string | bigint} number */
export function word(number) {
  const text = BigInt(number).toString(16);
  if (text.length > 64 || text.startsWith("-")) throw new Error("no word");
  return fromHex(`0x${text.padStart(64, "0")}`);
}
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

/** Leaves are hashed twice, so that no inner node can be passed off as one. @param {Uint8Array} bytes */
export const leafOf = (bytes) => keccak256(keccak256(bytes));

/** The root that a leaf and its siblings come to. @param {Uint8Array} leaf @param {string[]} siblings */
export function rootOf(leaf, siblings) {
  let hash = toHex(leaf);
  for (const one of siblings) {
    const other = toHex(fromHex(one));
    hash = toHex(keccak256(join(...(hash < other ? [fromHex(hash), fromHex(other)] : [fromHex(other), fromHex(hash)]))));
  }
  return hash;
}

const SCALED = /^0*$/;               // what a token with more decimals on chain has behind the ledger's amount

/**
 * @param {any} burn what GET /v1/burns/{id} told
 * @returns {{step: "reason" | "leaf" | "proof" | "id" | "chain", ok: boolean | null, data?: [string, string][]}[]} ok null: cannot be told from what is here
 */
export function verifyBurn(burn) {
  const { leaf, proof, burn: batch } = burn, steps = [];
  const step = (name, check, data) => {
    let ok = false;
    try { ok = check(); } catch { /* what cannot be read proves nothing */ }
    steps.push({ step: name, ok, data });
  };
  if (!leaf || !proof || !batch || batch.state !== "burned") return [{ step: "chain", ok: null }];
  const bytes = () => join(word(leaf.accrual), word(leaf.amount), fromHex(leaf.reason));
  if (burn.reason) step("reason", () => toHex(keccak256(new TextEncoder().encode(burn.reason))) === leaf.reason, [["reason", burn.reason]]);
  step("leaf", () => leaf.accrual === burn.id && leaf.amount.startsWith(burn.amount) && SCALED.test(leaf.amount.slice(burn.amount.length)) && toHex(leafOf(bytes())) === leaf.hash, [["leaf", leaf.hash]]);
  step("proof", () => rootOf(leafOf(bytes()), proof) === batch.root, [["root", batch.root]]);
  step("id", () => toHex(keccak256(join(word(batch.chain_id), word(batch.module.toLowerCase()), word(batch.amount), fromHex(batch.root)))) === batch.id, [["id", batch.id]]);
  step("chain", () => !batch.adopted && BigInt(batch.read_block) >= BigInt(batch.block) && BigInt(batch.block) > 0n, [["tx", batch.tx ?? ""], ["block", batch.block ?? ""], ["read_block", batch.read_block]]);
  return steps;
}
