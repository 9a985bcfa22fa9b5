#!/usr/bin/env bash
# run.sh — runs test programs and counts what they say.
#
#   run.sh begin                     forget earlier results
#   run.sh unit LABEL PROGRAM...     unit test programs, a few at a time
#   run.sh file FILE...              tests of the running host: *.test.mjs, *_test.py, *_test.sh, *_test.lua, two at a time; then, one at a time,
#                                    those whose first lines say "runs alone: WHY"
#   run.sh step NAME COMMAND...      one command that passes or fails as a whole
#   run.sh end                       "N passed, N failed"; fails when anything failed or nothing ran
#
# A test prints "ok NAME" or "not ok NAME" at the start of a line. One that crashes, hangs, exits badly without naming a
# failure, or says nothing at all counts as failed. Output is kept in $BUILD/test-logs. Environment: BUILD, OUT;
# JOBS unit tests and FILE_JOBS files at once; TMPDIR, where unit tests put their folders (in memory, when there is room).
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL      # a test that calls make starts afresh
BUILD=${BUILD:-build}
OUT=${OUT:-$BUILD}
LOGS=$BUILD/test-logs
RESULTS=$LOGS/results
UNIT_S=${UNIT_S:-300}
FILE_S=${FILE_S:-900}
FILE_JOBS=${FILE_JOBS:-$(($(nproc) > 1 ? 2 : 1))}     # they wait more than they work
SHOWN_S=${SHOWN_S:-10}               # what takes this long says so
mkdir -p "$LOGS"

absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s/%s\n' "$PWD" "$1" ;; esac; }

# tally NAME LOG STATUS: adds one program's results and prints its line, with the end of its log when it failed.
tally() {
  local name=$1 log=$2 status=$3 took=${4:-0} passed failed skipped why=
  skipped=$(grep -cE '^ok .*# (SKIP|skip)' "$log")
  passed=$(($(grep -cE '^ok ' "$log") - skipped))
  failed=$(grep -cE '^not ok ' "$log")
  if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then why="killed or out of time"; failed=$((failed + 1))
  elif [ "$status" -gt 128 ]; then why="died of signal $((status - 128))"; failed=$((failed + 1))
  elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then why="exit $status"; failed=1
  elif [ "$passed" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ]; then why="it says nothing"; failed=1
  fi
  printf '%d %d %s\n' "$passed" "$failed" "$name" >>"$RESULTS"
  printf '%-44s %d passed, %d failed%s%s%s\n' "$name" "$passed" "$failed" \
    "$([ "$skipped" -gt 0 ] && printf ', %d skipped' "$skipped")" "${why:+ ($why)}" "$([ "$took" -ge "$SHOWN_S" ] && printf '  %d s' "$took")"
  if [ "$failed" -gt 0 ]; then
    grep -nE -B4 -A12 '^not ok ' "$log" | head -n 60 | sed 's/^/    /'
    [ -z "$why" ] || tail -n 25 "$log" | sed 's/^/    /'
    printf '    log: %s\n' "$log"
  fi
}

# run_one NAME SECONDS COMMAND...: output and status go to files, so that several may run at once.
run_one() {
  local name=$1 seconds=$2 log from=$SECONDS status; shift 2
  log=$LOGS/$name.log
  mkdir -p "$(dirname "$log")"
  timeout -k 5 "$seconds" "$@" >"$log" 2>&1 </dev/null
  status=$?
  echo "$status $((SECONDS - from))" >"$log.ending" && mv "$log.ending" "$log.status"
}

finish_one() {
  local status=1 took=0
  read -r status took 2>/dev/null <"$LOGS/$1.log.status"
  tally "$1" "$LOGS/$1.log" "${status:-1}" "${took:-0}"
  rm -f "$LOGS/$1.log.status"
}

# memory_folder: a new folder in memory that has room and may hold programs, or nothing. Unit tests prove code, not the disk: kills, power
# cuts and full disks in them are played, and waiting for a real disk's flushes took longer than the rest. What runs the host uses the disk.
memory_folder() {
  local at
  [ "$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -ge 2000000 ] 2>/dev/null || return 0
  at=$(mktemp -d /dev/shm/fr-XXXX 2>/dev/null) || return 0
  if printf '#!/bin/sh\n' 2>/dev/null >"$at/try" && chmod 700 "$at/try" && "$at/try" 2>/dev/null; then rm "$at/try"; printf '%s\n' "$at"; else rm -rf "$at"; fi
}

unit() {
  local label=$1 program names=() jobs=${JOBS:-$(($(nproc) + 1))} memory=; shift      # one more than cores: half of them wait
  export FROND_WORKER FROND_SIGNER; FROND_WORKER=$(absolute "$OUT/frond-worker"); FROND_SIGNER=$(absolute "$OUT/frond-signer")
  export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
  [ -n "${TMPDIR:-}" ] || { memory=$(memory_folder); [ -z "$memory" ] || export TMPDIR=$memory; }
  for program; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    names+=("$label/${program##*/test/}")
    run_one "${names[-1]}" "$UNIT_S" "$program" &
  done
  wait
  [ -z "$memory" ] || { rm -rf "$memory"; unset TMPDIR; }
  for program in "${names[@]}"; do finish_one "$program"; done
}

file_one() {
  local path=$1 name=${1//\//-}
  case $path in
    *.test.mjs)   run_one "$name" "$FILE_S" node --test-reporter=tap "$path" ;;
    *_test.py)    run_one "$name" "$FILE_S" "$([ -x build/venv/bin/python ] && echo build/venv/bin/python || echo python3)" "$path" ;;
    *_test.lua)   run_one "$name" "$FILE_S" env -C "${path%/*}" LUA_PATH="../?.lua;./?.lua;;" lua5.4 "${path##*/}" ;;
    *)            run_one "$name" "$FILE_S" "./$path" ;;
  esac
}

# files_at_once N FILE...: results are told in the order of the files, as soon as those before are told.
files_at_once() {
  local jobs=$1 path told=() names=(); shift
  tell_files() {
    while [ "${#told[@]}" -lt "${#names[@]}" ] && [ -e "$LOGS/${names[${#told[@]}]}.log.status" ]; do
      finish_one "${names[${#told[@]}]}"
      told+=(1)
    done
  }
  for path; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; tell_files; done
    names+=("${path//\//-}")
    rm -f "$LOGS/${names[-1]}.log.status"
    file_one "$path" &
  done
  while [ -n "$(jobs -rp)" ]; do wait -n; tell_files; done
  tell_files
  for path in "${names[@]:${#told[@]}}"; do finish_one "$path"; done
}

file() {
  local path alone=() others=()
  export FROND FROND_WORKER FROND_SIGNER BUILD
  FROND=$(absolute "$OUT/frond"); FROND_WORKER=$(absolute "$OUT/frond-worker"); FROND_SIGNER=$(absolute "$OUT/frond-signer")
  for path; do
    if head -n 12 "$path" | grep -q 'runs alone: '; then alone+=("$path"); else others+=("$path"); fi
  done
  files_at_once "$FILE_JOBS" "${others[@]}"
  files_at_once 1 "${alone[@]}"
}

step() {
  local name=$1 log; shift
  log=$LOGS/$name.log
  if "$@" >"$log" 2>&1; then echo "ok $name" >>"$log"; else echo "not ok $name" >>"$log"; fi
  grep -q "^not ok $name$" "$log" && sed 's/^/    /' "$log" | tail -n 40
  tally "$name" "$log" 0
}

# Whoever reads only the end of a long run's output sees there what failed and how.
again() {
  printf '  %s (%d)\n' "$1" "$2"
  # A unit test says what did not hold before its name, a test of the running host after it; a sanitizer begins with ERROR.
  { grep -E -A12 'ERROR: [A-Za-z]*Sanitizer' "$LOGS/$1.log" || grep -E -B4 -A6 '^not ok ' "$LOGS/$1.log" || tail -n 12 "$LOGS/$1.log"; } |
    cut -c 1-400 | head -n 24 | sed 's/^/      /'
}

end() {
  local passed failed name count
  passed=$(awk '{n += $1} END {print n + 0}' "$RESULTS" 2>/dev/null || echo 0)
  failed=$(awk '{n += $2} END {print n + 0}' "$RESULTS" 2>/dev/null || echo 0)
  [ "$failed" -eq 0 ] || { echo "failed:"; awk '$2 > 0 {print $3, $2}' "$RESULTS" | while read -r name count; do again "$name" "$count"; done; }
  if [ $((passed + failed)) -eq 0 ]; then echo "no test ran"; failed=1; fi
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

case ${1:-} in
  begin) : >"$RESULTS" ;;
  unit|file|step) "$@" ;;
  end) end ;;
  *) echo "usage: run.sh begin | unit LABEL PROGRAM... | file FILE... | step NAME COMMAND... | end" >&2; exit 2 ;;
esac
exit $?
