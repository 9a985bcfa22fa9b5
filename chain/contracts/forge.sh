#!/usr/bin/env bash
# forge.sh ARGS... — runs forge over a copy of this folder in $BUILD/contracts, with the tools in $NPM/contracts. Needs no network.
#
# forge wants its libraries below its root, and nothing third-party stands in the tree: so the root is a copy. One forge at a time runs in it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
mkdir -p "${BUILD:-build}/contracts"
npm=$(cd "${NPM:-build/npm}/contracts" && pwd)
root=$(cd "${BUILD:-build}/contracts" && pwd)
exec 9>"$root/.lock"
flock 9

[ "$root/lib/.copied" -nt "$npm/.installed" ] || {
  rm -rf "$root/lib"
  mkdir -p "$root/lib/@openzeppelin"
  cp -r "$npm/node_modules/@openzeppelin/contracts" "$root/lib/@openzeppelin/"
  touch "$root/lib/.copied"
}
rm -rf "$root/src" "$root/test"
cp -rp "$here/src" "$here/test" "$here/foundry.toml" "$here/.gas-snapshot" "$root/"
cd "$root"
export CONTRACTS_NPM=$npm FOUNDRY_SOLC=$here/solc.mjs
exec "$npm/node_modules/.bin/forge" "$@"
