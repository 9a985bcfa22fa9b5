#!/usr/bin/env bash
# run.sh TARGET... — fuzzes each target for a while and says how many inputs it took: "ok fuzz json (N executions)".
#
# Environment: BUILD; FUZZ_S seconds (60) or FUZZ_RUNS inputs for each target; FUZZ_SEED (1); FUZZ_JOBS at once (all cores); FUZZ_TIMEOUT_S (10) for one
# input, by the wall clock: more on a machine that does other work;
# FUZZ_FRESH=1 begins with the seeds alone, so that a run depends on the seed only. What was found stays in $BUILD/fuzz:
# corpus/TARGET grows from run to run, found/ holds inputs that crashed, hung or leaked, logs/ what libFuzzer printed.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
OUT=$BUILD/fuzz
FUZZ_S=${FUZZ_S:-60}
FUZZ_SEED=${FUZZ_SEED:-1}
FUZZ_JOBS=${FUZZ_JOBS:-$(nproc)}
mkdir -p "$OUT/corpus" "$OUT/found" "$OUT/logs"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

dict_of() {
  case $1 in
    luajson|merge_patch) echo tests/fuzz/dict/json.dict ;;
    *) echo "tests/fuzz/dict/$1.dict" ;;
  esac
}

not_ok() {                                   # TARGET LOG WHY
  echo "not ok fuzz $1: $3"
  sed -n 's/.*Test unit written to \(.*\)/  input: \1/p' "$2"
  grep -aE 'does not hold|runtime error|ERROR: |SUMMARY: ' "$2" | head -n 8 | sed 's/^/  /'
  echo "  again: $OUT/fuzz-$1 INPUT    (all of it: $2)"
}

fuzz_one() {
  local target=$1 log=$OUT/logs/$1.log corpus=$OUT/corpus/$1 dict limit count args=()
  if [ -n "${FUZZ_FRESH:-}" ]; then corpus=$(mktemp -d); fi
  mkdir -p "$corpus"
  dict=$(dict_of "$target")
  [ -e "$dict" ] && args+=("-dict=$dict")
  limit=-max_total_time=$FUZZ_S
  [ -n "${FUZZ_RUNS:-}" ] && limit=-runs=$FUZZ_RUNS
  # A server or a Lua state that lives from input to input upsets the leak check after each; it is made below.
  "$OUT/fuzz-$target" "-seed=$FUZZ_SEED" "$limit" "-timeout=${FUZZ_TIMEOUT_S:-10}" -rss_limit_mb=2048 -detect_leaks=0 -print_final_stats=1 -verbosity=1 \
    "-artifact_prefix=$OUT/found/$target-" "${args[@]}" "$corpus" "tests/fuzz/corpus/$target" >"$log" 2>&1
  local status=$?
  count=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
  if [ $status -ne 0 ]; then
    not_ok "$target" "$log" "exit $status"
  elif [ "${count:-0}" -lt 100 ]; then
    not_ok "$target" "$log" "only ${count:-0} executions"
  elif ! find "tests/fuzz/corpus/$target" "$corpus" -type f | head -n 1000 | xargs "$OUT/fuzz-$target" -timeout=10 "-artifact_prefix=$OUT/found/$target-" >"$log.leaks" 2>&1; then
    not_ok "$target" "$log.leaks" "a leak, or a crash on the way to it"
  else
    echo "ok fuzz $target ($count executions)"
  fi
  if [ -n "${FUZZ_FRESH:-}" ]; then rm -rf "$corpus"; fi
}

[ $# -gt 0 ] || { echo "usage: run.sh TARGET..." >&2; exit 2; }
for target; do
  while [ "$(jobs -rp | wc -l)" -ge "$FUZZ_JOBS" ]; do wait -n; done
  fuzz_one "$target" >"$OUT/logs/$target.result" &
done
wait
for target; do cat "$OUT/logs/$target.result"; done
! grep -q '^not ok' $(printf "$OUT/logs/%s.result " "$@")
