// What the signer signs, a node takes: a payment, a legacy payment, a repricing and a cancel on anvil, each mined from the key's address.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { BUILD, KIND, NPM, ethers, startSigner, wire } from "./signer.mjs";

const { Signature, Transaction, Wallet } = ethers;
const PAYEE = "0x00000000000000000000000000000000000000aa", CHAIN = 31337;
let node, url, signer, from;

async function rpc(method, ...params) {
  const reply = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
  const { result, error } = await reply.json();
  if (error) throw new Error(error.message);
  return result;
}

before(async () => {
  node = spawn(path.join(NPM, "node_modules/.bin/anvil"), ["--host", "127.0.0.1", "--port", "0", "--chain-id", String(CHAIN)], { stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((done, fail) => {
    node.on("exit", (status) => fail(new Error(`anvil ended (${status})`)));
    createInterface(node.stdout).on("line", (line) => { const found = /Listening on (127\.0\.0\.1:\d+)/.exec(line); if (found) done("http://" + found[1]); });
  });
  const wallet = Wallet.createRandom(), much = String(10n ** 20n);
  signer = await startSigner({
    policy: { chain_id: String(CHAIN), gas: { limit: "30000", max_fee: "10000000000", max_tip: "1000000000", day: much }, ether: { to: [PAYEE], each: String(10n ** 18n), day: much } },
    passphrase: "node", keystores: [new Wallet(wallet.privateKey).encryptSync("node", { scrypt: { N: 1024, r: 8, p: 1 } })],
  });
  assert.ok(signer.facts.ok, JSON.stringify(signer.facts));
  [from] = signer.facts.addresses;
  await rpc("anvil_setBalance", from, "0x8ac7230489e80000");
});
after(async () => { node?.kill("SIGKILL"); await signer?.stop(); });

/** Signed by our signer, sent as raw bytes; the hash. */
async function send(tx) {
  const full = { chainId: CHAIN, gasLimit: 21000n, value: 0n, data: "0x", ...tx };
  const answer = await signer.ask(KIND.tx, wire.tx({ from, ...full }));
  assert.ok(answer.signature, JSON.stringify(answer));
  const raw = Transaction.from(full);
  raw.signature = Signature.from(answer.signature);
  assert.equal(await rpc("eth_sendRawTransaction", raw.serialized), raw.hash);
  return raw.hash;
}

async function mined(hash) {
  for (let tries = 0; tries < 500; tries++, await delay(10)) {
    const receipt = await rpc("eth_getTransactionReceipt", hash);
    if (receipt) return receipt;
  }
  return null;
}

test("payments of both kinds arrive from the key's address", async () => {
  for (const [nonce, fees] of [[0, { type: 2, maxFeePerGas: 4000000000n, maxPriorityFeePerGas: 1000000000n }], [1, { type: 0, gasPrice: 4000000000n }]]) {
    const receipt = await mined(await send({ nonce, to: PAYEE, value: 12345n, ...fees }));
    assert.equal(receipt.status, "0x1");
    assert.equal(receipt.from, from.toLowerCase());
  }
  assert.equal(BigInt(await rpc("eth_getBalance", PAYEE, "latest")), 24690n);
});

test("a repricing takes the place of what waits, and a cancel that of a payment", async () => {
  await rpc("evm_setAutomine", false);
  const tip = 100000000n, pay = { nonce: 2, to: PAYEE, value: 7n, type: 2 }, cancel = { nonce: 3, to: from, type: 2 };
  const first = await send({ ...pay, maxFeePerGas: 3000000000n, maxPriorityFeePerGas: tip }), second = await send({ ...pay, maxFeePerGas: 3300000000n, maxPriorityFeePerGas: tip + tip / 10n });
  const unwanted = await send({ ...cancel, to: PAYEE, value: 9n, maxFeePerGas: 3000000000n, maxPriorityFeePerGas: tip }), cancelled = await send({ ...cancel, maxFeePerGas: 3300000000n, maxPriorityFeePerGas: tip + tip / 10n });
  await rpc("evm_setAutomine", true);
  await rpc("evm_mine");
  assert.equal((await mined(second)).status, "0x1");
  assert.equal((await mined(cancelled)).status, "0x1");
  for (const hash of [first, unwanted]) assert.equal(await rpc("eth_getTransactionReceipt", hash), null);
  assert.equal(BigInt(await rpc("eth_getBalance", PAYEE, "latest")), 24697n);
});
