#!/usr/bin/env bash
# run.sh PROGRAM... — unit tests under ThreadSanitizer, then the real host in a short soak. Each report counts as a failure of its program.
# Environment: BUILD, OUT, SECONDS_FLOW (20).
set -u
here=$(dirname "$0")
export TSAN_OPTIONS="suppressions=$PWD/$here/suppressions exitcode=66 second_deadlock_stack=1 ${TSAN_OPTIONS:-}"
mkdir -p "$OUT/logs"
OUT=$(cd "$OUT" && pwd)
export FROND=$OUT/frond FROND_WORKER=$OUT/frond-worker
failed=0 tests=0 reports=0

# Under ThreadSanitizer all is ten times slower, so a test about time may lose; that is `make check`'s business. Here reports and crashes count.
note() {   # NAME LOG STATUS
  local n passed lost; n=$(grep -c 'WARNING: ThreadSanitizer' "$2") passed=$(grep -cE '^ok ' "$2") lost=$(grep -cE '^not ok ' "$2")
  tests=$((tests + passed)) reports=$((reports + n))
  if [ "$n" -eq 0 ] && { [ "$3" -eq 0 ] || { [ "$3" -eq 1 ] && [ "$lost" -gt 0 ] && [ "${4:-}" != strict ]; }; }; then
    echo "ok tsan $1 ($passed tests$([ "$lost" -eq 0 ] || echo ", $lost lost without a race: $(grep -E '^not ok ' "$2" | cut -c8- | tr '\n' ' ')"))"
    return
  fi
  failed=$((failed + 1))
  echo "not ok tsan $1: exit $3, $n reports; log: $2"
  grep -A25 -m2 'WARNING: ThreadSanitizer' "$2" | sed 's/^/    /'
  grep -E '^not ok' -A4 "$2" | head -20 | sed 's/^/    /'
}

"$OUT/tsan-teeth" >"$OUT/logs/teeth.log" 2>&1
if grep -q 'data race' "$OUT/logs/teeth.log"; then echo "ok tsan sees a race that is there"; else echo "not ok tsan does not see a race that is there"; head -5 "$OUT/logs/teeth.log"; failed=1; fi

for program; do
  name=${program#*/test/}
  log=$OUT/logs/${name//\//-}.log
  timeout -k 5 600 "$program" >"$log" 2>&1
  note "$name" "$log" $?
done

log=$OUT/logs/flow.log
SECONDS=${SECONDS_FLOW:-20} PLAYERS=6 MARGIN_MIB=1000 HOST_LOG=1 timeout -k 5 900 node tests/soak/soak.test.mjs >"$log" 2>&1
note "the real host: players, broken lines, killed workers" "$log" $? strict
grep '^#' "$log" | sed 's/^/    /'
echo "# $tests tests passed, $reports reports, $failed failed"
[ "$failed" -eq 0 ]
