#!/usr/bin/env bash
# fuzz_test.sh — a short run of every target, from the seeds and with a fixed seed: a test that the targets work and a net for new slips.
# It runs alone: it takes all cores, and a target must get through some inputs in its seconds.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build} FUZZ_S=${FUZZ_TEST_S:-2} FUZZ_SEED=1 FUZZ_FRESH=1
unset FUZZ_RUNS
targets=()
for source in tests/fuzz/*.c; do
  name=$(basename "$source" .c)
  [ "$name" = fake_uv ] || targets+=("$name")
done
make --no-print-directory -s BUILD="$BUILD" fuzz-build || { echo "not ok fuzz build"; exit 1; }
exec tests/fuzz/run.sh "${targets[@]}"
