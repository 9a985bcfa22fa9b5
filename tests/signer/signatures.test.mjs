// 1,000 random asks of each kind to the real signer; what it signs must be what ethers signs with the same key, byte for byte.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { KIND, draws, ethers, startSigner, wire } from "./signer.mjs";

const { Interface, Signature, Transaction, Wallet, hexlify } = ethers;
const CASES = Number(process.env.CASES || 1000), SEED = Number(process.env.SEED || 20261129);
const erc20 = new Interface(["function transfer(address,uint256)", "function approve(address,uint256)", "function permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"]);
const burn = new Interface(["function burn(bytes32,uint256,bytes32)"]), factory = new Interface(["function sweep(address,bytes32[])"]), payouts = new Interface(["function pay(bytes32[],address[],uint256[])"]);
const ALL = ((1n << 256n) - 1n).toString(), CHAIN = 31337;
const address = (byte) => ethers.getAddress("0x" + byte.repeat(20));
const TOKEN = address("a1"), BURN = address("b2"), FACTORY = address("c3"), ETHER_TO = address("d4"), SPENDER = address("e5"), PAYOUT = address("f6");

const random = draws(SEED), wallets = [new Wallet(hexlify(random.bytes(32))), new Wallet(hexlify(random.bytes(32)))];
let signer;

before(async () => {
  const quick = { scrypt: { N: 1024, r: 8, p: 1 } };
  const policy = {
    chain_id: String(CHAIN), gas: { limit: String((1n << 64n) - 1n), max_fee: ALL, max_tip: ALL, day: ALL }, ether: { to: [ETHER_TO], each: ALL, day: ALL },
    tokens: [{ address: TOKEN, to: "any", spenders: [SPENDER], each: ALL, day: ALL, permit: { name: "Palm Économie ☃", version: "1" } }],
    burn: [{ address: BURN, each: ALL, day: ALL }], payout: [{ address: PAYOUT, token: TOKEN, each: ALL, day: ALL }], sweep: [{ address: FACTORY, tokens: [TOKEN] }], siwe: ["frond.example:8080"],
  };
  signer = await startSigner({ policy, passphrase: "pässword\n", keystores: wallets.map((w) => w.encryptSync("pässword", quick)) });
  assert.ok(signer.facts.ok, JSON.stringify(signer.facts));
  assert.deepEqual(signer.facts.addresses, wallets.map((w) => w.address));
});
after(async () => assert.equal(await signer.stop(), 0));

/** Receiver, value and data of one of the kinds that the policy knows. Amounts stay small enough that a day holds them all. */
function payment(from) {
  const amount = random.big(240);
  switch (random.below(8)) {
    case 0: return { to: TOKEN, value: 0n, data: erc20.encodeFunctionData("transfer", [hexlify(random.bytes(20)), amount]) };
    case 1: return { to: TOKEN, value: 0n, data: erc20.encodeFunctionData("approve", [SPENDER, amount]) };
    case 2: return { to: TOKEN, value: 0n, data: erc20.encodeFunctionData("permit", [hexlify(random.bytes(20)), SPENDER, amount, random.big(40), 27 + random.below(2), random.bytes(32), random.bytes(32)]) };
    case 3: return { to: BURN, value: 0n, data: burn.encodeFunctionData("burn", [random.bytes(32), amount, random.bytes(32)]) };
    case 4: return { to: FACTORY, value: 0n, data: factory.encodeFunctionData("sweep", [TOKEN, Array.from({ length: random.below(100) }, () => random.bytes(32))]) };
    case 6: { const list = Array.from({ length: 1 + random.below(64) }); return { to: PAYOUT, value: 0n, data: payouts.encodeFunctionData("pay", [list.map(() => random.bytes(32)), list.map(() => hexlify(random.bytes(20))), list.map(() => random.big(200))]) }; }
    case 5: return { to: ETHER_TO, value: amount, data: "0x" };
    default: return { to: from, value: 0n, data: "0x" };
  }
}

async function transactions(type) {
  const asks = Array.from({ length: CASES }, () => {
    const wallet = random.pick(wallets), gasLimit = 1n + random.big(30), fee = random.big(200), tip = random.big(199);
    const fees = type === 2 ? { maxFeePerGas: fee > tip ? fee : tip, maxPriorityFeePerGas: fee > tip ? tip : fee } : { gasPrice: fee };
    return { wallet, tx: { type, chainId: CHAIN, nonce: Number(random.big(52)), gasLimit, ...fees, ...payment(wallet.address) } };
  });
  const answers = await Promise.all(asks.map(({ wallet, tx }) => signer.ask(KIND.tx, wire.tx({ from: wallet.address, ...tx }))));
  for (const [i, { wallet, tx }] of asks.entries()) {
    assert.ok(answers[i].signature, JSON.stringify(answers[i]));
    const want = Transaction.from({ ...tx, signature: undefined });
    const ours = want.clone();
    ours.signature = Signature.from(answers[i].signature);
    assert.equal(ours.serialized, await wallet.signTransaction(want), `case ${i}`);
    assert.equal(ours.from, wallet.address);
  }
}

test(`${CASES} EIP-1559 transactions`, () => transactions(2));
test(`${CASES} legacy transactions`, () => transactions(0));

test(`${CASES} permits`, async () => {
  const types = { Permit: [["owner", "address"], ["spender", "address"], ["value", "uint256"], ["nonce", "uint256"], ["deadline", "uint256"]].map(([name, type]) => ({ name, type })) };
  const domain = { name: "Palm Économie ☃", version: "1", chainId: CHAIN, verifyingContract: TOKEN };
  const asks = Array.from({ length: CASES }, () => ({ wallet: random.pick(wallets), value: random.big(240), nonce: random.big(256), deadline: Math.floor(Date.now() / 1000) + 60 + random.below(3000) }));
  const answers = await Promise.all(asks.map((a) => signer.ask(KIND.permit, wire.permit({ from: a.wallet.address, chainId: CHAIN, token: TOKEN, spender: SPENDER, ...a }))));
  for (const [i, { wallet, value, nonce, deadline }] of asks.entries())
    assert.equal(answers[i].signature, await wallet.signTypedData(domain, types, { owner: wallet.address, spender: SPENDER, value, nonce, deadline }), JSON.stringify(answers[i]));
});

test(`${CASES} sign-in messages`, async () => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const word = (least, most) => Array.from({ length: least + random.below(most - least + 1) }, () => letters[random.below(letters.length)]).join("");
  const asks = Array.from({ length: CASES }, () => {
    const issued = Date.now() - random.below(20000);
    return { wallet: random.pick(wallets), chainId: CHAIN, issued, expires: issued + 1000 * (1 + random.below(899)), domain: "frond.example:8080", uri: `https://frond.example:8080/${word(0, 40)}`, nonce: word(8, 60),
      statement: random.below(2) ? word(1, 200).replaceAll("A", " ") + "." : null, resource: random.below(2) ? `urn:frond:player:${random.below(1e9)}` : null };
  });
  const answers = await Promise.all(asks.map((a) => signer.ask(KIND.siwe, wire.siwe({ from: a.wallet.address, ...a }))));
  const second = (ms) => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace(".000", "");
  for (const [i, a] of asks.entries()) {
    const text = `${a.domain} wants you to sign in with your Ethereum account:\n${a.wallet.address}\n\n${a.statement ? a.statement + "\n" : ""}\nURI: ${a.uri}\nVersion: 1\nChain ID: ${CHAIN}\nNonce: ${a.nonce}\n` +
      `Issued At: ${second(a.issued)}\nExpiration Time: ${second(a.expires)}${a.resource ? `\nResources:\n- ${a.resource}` : ""}`;
    assert.equal(answers[i].signature, await a.wallet.signMessage(text), JSON.stringify(answers[i]));
  }
});

test("what the policy does not name is refused by its code", async () => {
  const [w] = wallets, base = { type: 2, from: w.address, chainId: CHAIN, nonce: 1, gasLimit: 21000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, value: 0n, data: "0x", to: ETHER_TO };
  const refused = async (change, code) => assert.equal((await signer.ask(KIND.tx, wire.tx({ ...base, ...change }))).code, code);
  await refused({ chainId: 1 }, "sign_chain");
  await refused({ to: SPENDER }, "sign_to");
  await refused({ from: ETHER_TO }, "sign_key");
  await refused({ to: w.address, value: 1n }, "sign_value");
  await refused({ maxPriorityFeePerGas: 3n }, "sign_fee");
  await refused({ to: TOKEN, data: erc20.encodeFunctionData("approve", [ETHER_TO, 1n]) }, "sign_spender");
  await refused({ to: TOKEN, data: new Interface(["function transferFrom(address,address,uint256)"]).encodeFunctionData("transferFrom", [w.address, ETHER_TO, 1n]) }, "sign_kind");
  await refused({ to: BURN, data: new Interface(["function pause()"]).encodeFunctionData("pause") }, "sign_kind");
});
