// artifacts.mjs OUT FOLDER — from what forge left in OUT, one JSON file per contract: what the host deploys, calls and decodes.
//
//   { contract, compiler, evm, constructor, functions: {signature: selector}, events: {signature: topic}, errors: {signature: selector},
//     abi, bytecode, runtimeBytes }
// Hex begins with 0x. bytecode is the creation code; a constructor's arguments go behind it, ABI-encoded in the order of `constructor`.
// CONTRACTS_NPM names the folder whose node_modules holds ethers.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Interface } = createRequire(process.env.CONTRACTS_NPM + "/")("ethers");
const CONTRACTS = {
  PALM: "PALM.sol", BurnModule: "BurnModule.sol", PayoutModule: "PayoutModule.sol", DepositFactory: "DepositFactory.sol", Forwarder: "DepositFactory.sol",
  NFNT: "DevTokens.sol", GHUB: "DevTokens.sol",
};

function artifact(name, made) {
  const parsed = new Interface(made.abi);
  const of = (kind, hash) => Object.fromEntries(parsed.fragments.filter((f) => f.type === kind).map((f) => [f.format("sighash"), hash(f)]).sort());
  const functions = of("function", (f) => f.selector);
  const says = Object.fromEntries(Object.entries(made.methodIdentifiers).map(([signature, hex]) => [signature, "0x" + hex]).sort());
  if (JSON.stringify(functions) !== JSON.stringify(says)) throw new Error(`${name}: the compiler and ethers disagree about selectors`);
  if (Object.keys(made.bytecode.linkReferences).length > 0) throw new Error(`${name}: its code has to be linked first`);
  return {
    contract: name,
    compiler: made.metadata?.compiler?.version ?? JSON.parse(made.rawMetadata).compiler.version,
    evm: (made.metadata ?? JSON.parse(made.rawMetadata)).settings.evmVersion,
    constructor: parsed.deploy.inputs.map((input) => ({ name: input.name, type: input.type })),
    functions,
    events: of("event", (f) => f.topicHash),
    errors: of("error", (f) => f.selector),
    abi: made.abi,
    bytecode: made.bytecode.object,
    runtimeBytes: (made.deployedBytecode.object.length - 2) / 2,
  };
}

const [out, folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: artifacts.mjs OUT FOLDER");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
for (const [name, file] of Object.entries(CONTRACTS)) {
  const made = JSON.parse(readFileSync(`${out}/${file}/${name}.json`, "utf8"));
  writeFileSync(`${folder}/${name}.json.part`, JSON.stringify(artifact(name, made), null, 1) + "\n");
  renameSync(`${folder}/${name}.json.part`, `${folder}/${name}.json`);
}
