#!/usr/bin/env bash
# The contracts' own tests: unit, fuzz and invariants, gas against .gas-snapshot, and how many of their lines are run.
# It runs alone: coverage builds anew what others deploy.
set -u
cd "$(dirname "$0")/../.." || exit 2
export BUILD=${BUILD:-build} NPM=${NPM:-build/npm}
GAS_PERCENT=2            # a figure may move by this much, up or down, before somebody has to look (make contracts-gas)
LINES_PERCENT=95
log=$BUILD/contracts/forge_test.log

make -s BUILD="$BUILD" NPM="$NPM" contracts >&2 || { echo "not ok the contracts build"; exit 1; }
echo "ok the contracts build"

chain/contracts/forge.sh test >"$log" 2>&1
status=$?
cat "$log"
awk '                    # one test may stand in several contracts, which inherit it: so each is named with its contract
  /^(Ran [0-9]+ tests? for|Encountered [0-9]+ failing tests? in) / { contract = $NF; sub(/.*:/, "", contract) }
  sub(/^\[PASS\] /, "") { print "ok", contract, $0 }
  sub(/^\[FAIL.*\] /, "") && /^(test|invariant|setUp)/ { print "not ok", contract, $0 }
' "$log" | sort -u
grep -q '^\[PASS\] invariant' "$log" && [ "$status" -eq 0 ] || echo "not ok forge test ends well (status $status)"

if chain/contracts/forge.sh snapshot --match-contract GasTest --check .gas-snapshot --tolerance "$GAS_PERCENT" >"$log" 2>&1; then
  echo "ok gas stands as in .gas-snapshot"
else
  cat "$log"
  echo "not ok gas stands as in .gas-snapshot"
fi

# Coverage builds everything anew without the optimizer; nothing changed means nothing to learn. The invariant runs add no line, only time.
hash=$(cat chain/contracts/src/* chain/contracts/test/* chain/contracts/foundry.toml chain/contracts/package-lock.json | sha256sum | cut -c 1-16)
table=$BUILD/contracts/coverage-$hash.txt
if [ ! -s "$table" ]; then
  FOUNDRY_FUZZ_RUNS=32 chain/contracts/forge.sh coverage --report summary --no-match-test '^invariant' --no-match-coverage '^(test|lib)/' >"$log" 2>&1 &&
    grep -E '^\|' "$log" >"$table" || { cat "$log"; rm -f "$table"; }
fi
cat "$table" 2>/dev/null
awk -F'|' -v least="$LINES_PERCENT" '$2 ~ /src\// { files++; if ($3 + 0 < least) { print "under", least, "%:", $2; low++ } } END { exit files < 4 || low }' "$table" 2>/dev/null &&
  echo "ok at least $LINES_PERCENT% of the lines of every contract are run" || echo "not ok at least $LINES_PERCENT% of the lines of every contract are run"
! grep -q '^\[FAIL' "$log"
