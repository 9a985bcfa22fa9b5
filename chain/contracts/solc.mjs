#!/usr/bin/env node
// solc.mjs — the compiler as forge wants to call it: npm's wasm build behind the two options that forge uses.
//
//   solc.mjs --version          what `solc --version` prints
//   solc.mjs --standard-json    a job on stdin, the answer on stdout; forge puts every source into the job, so nothing is read from disk
// CONTRACTS_NPM names the folder whose node_modules holds the compiler (forge.sh sets it).
import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";

const solc = createRequire(process.env.CONTRACTS_NPM + "/")("solc");

function print(text) {                       // stdout may be a pipe: a plain write stops at its 64 KiB, and process.exit loses the rest
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try { at += writeSync(1, bytes, at); } catch (e) { if (e.code !== "EAGAIN") throw e; }
  }
}

const asked = (option) => process.argv.includes(option);        // among paths that do not matter here
if (asked("--version")) {
  print(`solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace(".Emscripten.clang", ".Linux.g++")}\n`);
} else if (asked("--standard-json")) {
  print(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error("usage: solc.mjs --version | --standard-json");
  process.exitCode = 2;
}
