#!/usr/bin/env bash
# Checks tests/model/ownership.pml with Spin: the protocol holds in every
# interleaving, without any one of its precautions it does not, and what the
# model should be able to do it does.
#
#   ownership_test.sh            all of it
#   ownership_test.sh FLAG...    only these, with the counterexample's last steps
set -euo pipefail
model=$(cd "$(dirname "$0")" && pwd)/ownership.pml

for tool in spin gcc; do
  if ! command -v "$tool" >/dev/null; then
    echo "skipped: $tool is not installed (Debian packages: spin gcc)"
    exit 77
  fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# search NAME [FLAG]: leaves what was found in $work/NAME/found
search() {
  mkdir "$work/$1"
  cd "$work/$1"
  cp "$model" model.pml
  spin -a ${2:+"-D$2"} model.pml >spin.txt 2>&1 &&
    gcc -w -O1 -DSAFETY -DVECTORSZ=512 -DMEMLIM=1000 -o pan pan.c >gcc.txt 2>&1 &&
    ./pan -m20000 -w22 >found 2>&1 || true
}

failures=0
report() {
  echo "$1"
  case "$1" in ok*) ;; *) failures=$((failures + 1)) ;; esac
}

# holds: the whole space was searched, and nothing was wrong.
holds() {
  search "$1"
  local found=$work/$1/found
  if grep -q 'errors: 0' "$found" && ! grep -qE 'too small|out of memory|not completed' "$found"; then
    report "ok: holds in all $(awk '/states, stored/ { print $1 }' "$found") states"
  else
    report "FAILED: $1"
    tail -n 25 "$work/$1"/*.txt "$found" 2>/dev/null
  fi
}

# fails FLAG: with it an assertion does not hold (any other trouble is ours).
fails() {
  search "$1" "$1"
  local found=$work/$1/found
  local broken
  if broken=$(grep -m1 -oP 'assertion violated \K.*(?= \(at depth)' "$found"); then
    report "ok: $1 breaks $broken"
  else
    report "FAILED: nothing is wrong with $1"
    tail -n 25 "$work/$1"/*.txt "$found" 2>/dev/null
  fi
}

if [ $# -gt 0 ]; then
  for flag in "$@"; do
    fails "$flag"
    cd "$work/$flag"
    ! [ -f model.pml.trail ] || spin -t -p -g "-D$flag" model.pml | tail -n 120
  done
  exit $((failures > 0))
fi

holds protocol
# Every flag that the model knows, so that none can be forgotten here.
for flag in $(grep -ohE '(BREAK|REACH)_[A-Z_]*[A-Z]' "$model" | sort -u); do
  fails "$flag"
done
exit $((failures > 0))
