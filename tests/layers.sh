#!/usr/bin/env bash
# layers.sh — checks what the compiler cannot: that includes point downwards, that each library has one gate, and that the
# top level holds what was agreed. Prints each violation as file:line and fails when there is one.
#
# Lowest first; a folder includes only lower ones, and folders on one line never include one another. A folder that is not
# here yet costs nothing.
set -u
cd "$(dirname "$0")/.." || exit 1

LAYERS='
base
ipc store net
sandbox
ledger llm chain
treasury player
plugin
play market studio telegram
api
gateway console
cli
frond
'
# The small programs that the host starts: they may use ipc and base only, and these headers: api/table.h is data, and the worker reads it;
# of chain the signer has what is pure.
CHILDREN='worker signer jail render'
CHILDREN_MAY='ipc base'
DATA='worker:api/table.h signer:chain/signer.h signer:chain/sign_wire.h signer:chain/keystore.h signer:chain/abi.h signer:chain/eip712.h'
# header pattern: the folders that may include it. Tests may look at anything.
GATES='
sqlite3.h:store
lua.h|lualib.h|lauxlib.h|lua.hpp|luaconf.h:worker
sodium.h:base
cJSON.h|cjson/cJSON.h:base
llhttp.h:net
curl/*.h:net
secp256k1*.h:chain signer
'
TOP='Makefile README.md host plugins games llm chain tests'

files() { git ls-files -co --exclude-standard -- "$@" 2>/dev/null | sort -u | while IFS= read -r f; do [ -e "$f" ] && printf '%s\n' "$f"; done; }

found=$(
  {
    files 'host/*.c' 'host/*.h' 'llm/*.c' 'llm/*.h' 'chain/*.c' 'chain/*.h' |
      tr '\n' '\0' | xargs -0 -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<]' |
      LAYERS=$LAYERS CHILDREN=$CHILDREN CHILDREN_MAY=$CHILDREN_MAY DATA=$DATA GATES=$GATES awk '
      BEGIN {
        n = split(ENVIRON["LAYERS"], lines, "\n")
        for (i = 1; i <= n; i++) { m = split(lines[i], names, " "); for (j = 1; j <= m; j++) rank[names[j]] = i }
        n = split(ENVIRON["CHILDREN"], names, " "); for (i = 1; i <= n; i++) child[names[i]] = 1
        n = split(ENVIRON["CHILDREN_MAY"], names, " "); for (i = 1; i <= n; i++) child_may[names[i]] = 1
        n = split(ENVIRON["DATA"], names, " "); for (i = 1; i <= n; i++) data[names[i]] = 1
        n = split(ENVIRON["GATES"], lines, "\n")
        for (i = 1; i <= n; i++) {
          if (split(lines[i], half, ":") < 2) continue
          gates++
          pattern[gates] = half[1]; gsub(/\./, "\\.", pattern[gates]); gsub(/\*/, ".*", pattern[gates])
          pattern[gates] = "^(" pattern[gates] ")$"
          allowed[gates] = " " half[2] " "
        }
      }
      {
        split($0, part, ":"); file = part[1]; at = file ":" part[2]
        include = $0; sub(/^[^"<]*["<]/, "", include); sub(/[">].*$/, "", include)
        folder = file; sub(/^host\//, "", folder)
        if (folder !~ /\//) sub(/\.[ch]$/, "", folder); else sub(/\/.*/, "", folder)
        if (file ~ /^host\/[^\/]*$/) folder = "frond"        # main and what it is made of
        for (i = 1; i <= gates; i++)
          if (include ~ pattern[i] && index(allowed[i], " " folder " ") == 0 && file !~ /_test\.c$/)
            printf "%s: %s is included only by%s\n", at, include, allowed[i]
        sub(/^(\.\.\/)+/, "", include); sub(/^host\//, "", include)
        if (include !~ /\//) next
        to = include; sub(/\/.*/, "", to)
        if (to == folder || !(to in rank) && !(to in child)) next
        if (data[folder ":" include]) next
        if (!(folder in rank) && !(folder in child)) { printf "%s: folder %s has no place in the layers\n", at, folder; next }
        if (folder in child ? !(to in child_may) : (to in child) || rank[to] >= rank[folder])
          printf "%s: %s may not include %s\n", at, folder, include
      }'
    # every folder with C has its place
    files 'host/*.c' 'host/*.h' | awk -F/ 'NF > 2 && !seen[$2]++ {print $2}' | while IFS= read -r folder; do
      case " $(echo $LAYERS $CHILDREN) " in *" $folder "*) ;; *) echo "host/$folder:1: folder $folder has no place in the layers" ;; esac
    done
    files . | cut -d/ -f1 | sort -u | while IFS= read -r entry; do
      case $entry in .*) continue ;; esac
      case " $TOP " in *" $entry "*) ;; *) echo "$entry:1: not one of the agreed top-level entries: $TOP" ;; esac
    done
    for entry in $TOP; do [ -e "$entry" ] || echo "$entry:1: missing from the top level"; done
  }
)
[ -z "$found" ] && exit 0
printf '%s\n' "$found"
exit 1
