#!/bin/bash
# build.sh FOLDER DEPS — builds llama-server and lays it with its model into FOLDER (build/engine): llama-server, model.gguf. A second run finds its work
# done. FOLDER/progress says meanwhile in a line how far it is: the host shows it.
#
# Source and model are pinned in host/deps/fetch.py. The program is static: its jail (host/jail) opens no library to it. What is there appears at once or not at
# all, also while a host runs. Interrupted, the next run goes on where it was.
set -u -o pipefail
cd "$(dirname "$0")/../.." || exit 1
[ $# -eq 2 ] || { echo "usage: build.sh FOLDER DEPS" >&2; exit 2; }
folder=$1 deps=$2
mkdir -p "$folder" && exec 9>"$folder/.lock" && flock 9 || exit 1      # two may start at once

# GGML_NATIVE looks at the machine that builds and picks instructions that crash on some (AMX): what every x86-64 of the last ten years has is named instead.
flags=(-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_EXE_LINKER_FLAGS=-static-pie
       -DGGML_NATIVE=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_CURL=OFF
       -DLLAMA_USE_PREBUILT_UI=OFF -DFETCHCONTENT_FULLY_DISCONNECTED=ON)      # by itself it would fetch a page from somewhere
has() { local f; for f; do grep -qw -m 1 "$f" /proc/cpuinfo || return 1; done; }
if has avx2 fma f16c bmi2; then flags+=(-DGGML_SSE42=ON -DGGML_AVX=ON -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON); fi

hash=$({ printf '%s\n' "${flags[@]}"; python3 host/deps/fetch.py --pins llama smollm2; } | sha256sum | cut -c 1-16)
[ "$(cat "$folder/.built" 2>/dev/null)" = "$hash" ] && [ -x "$folder/llama-server" ] && [ -f "$folder/model.gguf" ] && { touch "$folder/.built"; exit 0; }

say() { printf '%s\n' "$1" >"$folder/.progress" && mv -f "$folder/.progress" "$folder/progress"; }
stop() { echo "engine: $1" >&2; exit 1; }
finished=
at_end() { if [ -n "$finished" ]; then rm -f "$folder/progress"; else say "it was not finished; type: make engine"; fi; }
trap at_end EXIT
trap 'exit 1' INT TERM HUP

say "installing a compiler"
DEPS=$deps host/deps/install.sh engine || exit 1
python3 host/deps/fetch.py --progress "$folder/progress" "$deps" llama smollm2 || exit 1

# Each set of flags has a folder of its own: an old one keeps what was switched off in it.
work=$folder/work-$hash
find "$folder" -maxdepth 1 -name 'work*' ! -name "work-$hash" -exec rm -rf {} +
say "preparing the build"
flags+=(-DOpenMP_gomp_LIBRARY="$(g++ -print-file-name=libgomp.a)" -DOpenMP_pthread_LIBRARY="$(g++ -print-file-name=libpthread.a)")
# No git: what it would find is not the engine's history but ours.
GIT_DIR=/nonexistent CC=gcc CXX=g++ cmake -S "$deps/llama" -B "$work" -G Ninja "${flags[@]}" >"$folder/cmake.log" 2>&1 || { tail -n 20 "$folder/cmake.log" >&2; stop "cmake failed (log: $folder/cmake.log)"; }
! grep -q 'OpenMP not found' "$folder/cmake.log" || stop "the compiler has no OpenMP (log: $folder/cmake.log)"
nice ninja -C "$work" llama-server 2>&1 | while IFS= read -r line; do
  printf '%s\n' "$line"
  case $line in '['*/*']'*) step=${line%%]*}; say "building ${step#[}" ;; esac
done || stop "the build failed"

strip -o "$folder/llama-server.new" "$work/bin/llama-server" || exit 1
if readelf -l "$folder/llama-server.new" | grep -q INTERP; then stop "llama-server is not static, and its jail has no libraries"; fi
chmod 755 "$folder/llama-server.new"
# A second name of the file: it has 98 MB. The engine runs as a user of its own, so it is anybody's to read.
ln -f "$deps/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$folder/model.gguf.new" 2>/dev/null || cp "$deps/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$folder/model.gguf.new" || exit 1
chmod 644 "$folder/model.gguf.new"
mv -f "$folder/model.gguf.new" "$folder/model.gguf" && mv -f "$folder/llama-server.new" "$folder/llama-server" && echo "$hash" >"$folder/.built" || exit 1
rm -rf "$work"
finished=yes
echo "engine: $folder/llama-server and $folder/model.gguf"
