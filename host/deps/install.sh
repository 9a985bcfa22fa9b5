#!/bin/bash
# install.sh GROUP... — installs the Debian packages that a group needs and this machine lacks.
#
# Groups: run (build and serve), test (sanitizers, browser), bench (the programs we measure ourselves against), engine (what builds llama-server).
# Runs apt-get as root or through `sudo -n`; otherwise prints the exact command and stops. Services that a package would
# start (nginx, postgresql) are kept from starting. A second run only compares a stamp.
set -u
cd "$(dirname "$0")/../.." || exit 1
STAMPS=${DEPS:-build/deps}

# "package" or "package=command": with a command, any installation of it will do (Node.js often comes from elsewhere).
packages_of() {
  case $1 in
    run)   echo gcc=gcc libc6-dev make=make pkg-config=pkg-config libuv1-dev libsqlite3-dev libcjson-dev libsodium-dev libcurl4-openssl-dev nettle-dev libgmp-dev libsecp256k1-dev \
                python3=python3 ca-certificates nodejs=node npm=npm ;;
    test)  echo clang-14=clang-14 libclang-rt-14-dev chromium=chromium fonts-noto-core fonts-noto-cjk lua5.4=lua5.4 \
                python3-venv curl=curl procps=ps git=git ;;
    bench) echo nginx-light libnginx-mod-http-lua lua-cjson postgresql wrk=wrk ;;
    engine) echo g++=g++ cmake=cmake ninja-build=ninja ;;
    *)     return 1 ;;
  esac
}

is_there() {
  case $1 in *=*) command -v "${1#*=}" >/dev/null 2>&1 && return 0 ;; esac
  [ "$(dpkg-query -W -f='${db:Status-Status}' "${1%%=*}" 2>/dev/null)" = installed ]
}

stop() { printf 'deps: %s\n' "$1" >&2; exit 1; }

[ $# -gt 0 ] || { echo "usage: install.sh run|test|bench|engine..." >&2; exit 2; }
wanted=
for group; do
  list=$(packages_of "$group") || { echo "deps: no group named $group: run, test, bench, engine" >&2; exit 2; }
  wanted="$wanted $list"
done
hash=$(printf '%s' "$wanted" | sha256sum | cut -c 1-16)
stamp=$STAMPS/.apt-$(printf '%s-' "$@")$hash
[ -e "$stamp" ] && exit 0

missing=()
for p in $wanted; do is_there "$p" || missing+=("${p%%=*}"); done
done_well() { mkdir -p "$STAMPS" && : >"$stamp"; exit 0; }
[ ${#missing[@]} -gt 0 ] || done_well

command -v apt-get >/dev/null || stop "this machine has no apt-get; install what these Debian packages hold: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    stop "packages are missing; run this, then try again:
sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
  fi
fi

# Debian asks policy-rc.d before it starts a service. Ours says no; what stood there comes back afterwards.
policy=/usr/sbin/policy-rc.d
aside=$policy.before-frond
policy_back() {
  if [ -e "$aside" ]; then "${as_root[@]}" mv -f "$aside" "$policy"; else "${as_root[@]}" rm -f "$policy"; fi
}
[ ! -e "$aside" ] || policy_back            # an earlier run was killed in between
[ ! -e "$policy" ] || "${as_root[@]}" mv "$policy" "$aside" || stop "$policy cannot be moved"
trap policy_back EXIT
trap 'exit 1' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null || stop "$policy cannot be written"
"${as_root[@]}" chmod 755 "$policy"

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@"; }
install() { apt -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"; }
echo "deps: installing ${missing[*]}"
mkdir -p "$STAMPS"
log=$STAMPS/apt.log
lists=$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' 2>/dev/null | head -n 1)
[ -n "$lists" ] || apt update >"$log" 2>&1 || { tail -n 5 "$log" >&2; stop "apt-get update failed (log: $log)"; }
if ! install >>"$log" 2>&1; then            # old lists name files that the mirror no longer has
  { apt update && install; } >>"$log" 2>&1 || { tail -n 15 "$log" >&2; stop "apt-get could not install ${missing[*]} (log: $log)"; }
fi
for p in $wanted; do is_there "$p" || stop "${p%%=*} was installed but is still not there (log: $log)"; done
done_well
