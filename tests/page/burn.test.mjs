// burn.test.mjs: Keccak and the proof of a burn as the page computes them, against ethers; and that whatever was changed is found.
import test, { after } from "node:test";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const NPM = path.resolve(process.env.NPM || "build/npm", "contracts"), skip = existsSync(`${NPM}/node_modules/ethers`) ? false : "ethers is not there";
const ethers = skip ? null : createRequire(NPM + "/")("ethers");
const WEB = new URL("../../host/gateway/web/sdk/", import.meta.url);

// The page's modules name each other by the host's paths.
const at = mkdtempSync(path.join(tmpdir(), "frond-burn-"));
after(() => rmSync(at, { recursive: true, force: true }));
for (const name of ["keccak", "burn"]) writeFileSync(path.join(at, `${name}.mjs`), readFileSync(new URL(`${name}.js`, WEB), "utf8").replace("/sdk/keccak.js", "./keccak.mjs"));
const { keccak256 } = await import(path.join(at, "keccak.mjs"));
const { toHex, verifyBurn } = await import(path.join(at, "burn.mjs"));

test("keccak: published vectors, and ethers over every length across two blocks", { skip }, () => {
  assert.equal(toHex(keccak256(new Uint8Array())), "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  assert.equal(toHex(keccak256(new TextEncoder().encode("abc"))), "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  for (let length = 0; length < 400; length++) {
    const bytes = randomBytes(length);
    assert.equal(toHex(keccak256(bytes)), ethers.keccak256(bytes));
  }
});

const coder = skip ? null : ethers.AbiCoder.defaultAbiCoder();
const pair = (a, b) => ethers.keccak256(ethers.concat(a < b ? [a, b] : [b, a]));
function burnOf(count, which) {
  const all = Array.from({ length: count }, (_, i) => ({ accrual: String(100 + i), amount: String(7 + i), reason: `duel match ${i}` }));
  const leafOf = (one) => ethers.keccak256(ethers.keccak256(coder.encode(["uint256", "uint256", "bytes32"], [one.accrual, one.amount, ethers.id(one.reason)])));
  const leaves = all.map(leafOf), nodes = new Array(count - 1).concat([...leaves].sort().reverse());
  for (let i = count - 2; i >= 0; i--) nodes[i] = pair(nodes[2 * i + 1], nodes[2 * i + 2]);
  const one = all[which], leaf = leaves[which], proof = [];
  for (let i = nodes.lastIndexOf(leaf); i > 0; i = (i - 1) >> 1) proof.push(nodes[i % 2 ? i + 1 : i - 1]);
  const amount = String(all.reduce((sum, { amount: units }) => sum + Number(units), 0)), module = "0x5FbDB2315678afecb367f032d93F642f64180aa3", root = nodes[0];
  return { id: one.accrual, amount: one.amount, reason: one.reason, leaf: { accrual: one.accrual, amount: one.amount, reason: ethers.id(one.reason), hash: leaf }, proof,
    burn: { state: "burned", amount, root, module, chain_id: "31337", id: ethers.keccak256(coder.encode(["uint256", "address", "uint256", "bytes32"], [31337, module, amount, root])), block: "7", read_block: "9", tx: ethers.id("tx"), adopted: false } };
}
const verdict = (burn) => verifyBurn(burn).every((one) => one.ok === true);

test("a proof of any tree fits, and whatever is changed in it does not", { skip }, () => {
  for (const count of [1, 2, 3, 5, 8, 33]) for (let which = 0; which < count; which += 1 + count / 5 | 0) assert.equal(verdict(burnOf(count, which)), true, `${count} ${which}`);
  const changes = [(b) => { b.amount = "8"; }, (b) => { b.leaf.amount = "8"; b.amount = "8"; }, (b) => { b.leaf.accrual = "1"; b.id = "1"; }, (b) => { b.reason += "!"; }, (b) => { b.leaf.reason = ethers.id("x"); delete b.reason; }, (b) => { b.proof[0] = ethers.id("y"); },
    (b) => { b.proof.pop(); }, (b) => { b.burn.root = ethers.id("z"); }, (b) => { b.burn.amount = "1"; }, (b) => { b.burn.chain_id = "1"; }, (b) => { b.burn.adopted = true; }, (b) => { b.burn.read_block = "6"; }, (b) => { b.burn.block = "0"; },
    (b) => { b.proof = ["hello"]; }, (b) => { b.leaf.amount = "-1"; b.amount = "-1"; }, (b) => { b.leaf.hash = ethers.id("w"); }, (b) => { b.leaf.amount = `${b.amount}1`; }];
  for (const [i, change] of changes.entries()) {
    const burn = burnOf(8, 3);
    change(burn);
    assert.equal(verdict(burn), false, `change ${i}`);
  }
  for (const burn of [{ state: "pending", leaf: null, proof: null, burn: null }, { ...burnOf(2, 0), proof: null }]) assert.deepEqual(verifyBurn(burn), [{ step: "chain", ok: null }]);
});
