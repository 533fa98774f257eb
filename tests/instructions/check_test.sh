#!/usr/bin/env bash
# check_test.sh PROGRAM LIMITS: does check.sh fail when it should?
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
limits=$2
command -v valgrind >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0

# expect CODE WORDS PATH...: check.sh on $folder/limits.txt ends so, and says so.
expect() {
  local code=$1 words=$2 got=0
  shift 2
  "$here/check.sh" "$program" "$folder/limits.txt" "$@" >"$folder/said" 2>&1 || got=$?
  if [ "$got" != "$code" ] || ! grep -qF "$words" "$folder/said"; then
    echo "expected $code and '$words', got $got and:"
    cat "$folder/said"
    bad=1
  fi
}

cp "$limits" "$folder/limits.txt"
expect 0 "frame_reader" frame_reader

# The count is the same each time.
cp "$folder/said" "$folder/first"
expect 0 "frame_reader" frame_reader
cmp -s "$folder/said" "$folder/first" || {
  echo "two counts differ:"
  diff "$folder/first" "$folder/said" || true
  bad=1
}

most=$(awk '$1 == "frame_reader" { x = $2 } END { print x }' "$limits")
echo "frame_reader $((most / 2)) 2026-01-01 much too low on purpose" >>"$folder/limits.txt"
expect 1 "takes more than its limit" frame_reader

{ cat "$limits"; echo "frame_reader 999999999 2026-01-01 because"; } >"$folder/limits.txt"
expect 1 "say why" frame_reader

grep -v '^frame_reader' "$limits" >"$folder/limits.txt"
expect 1 "no limit for frame_reader" frame_reader

{ cat "$limits"; echo "frame_painter 5 2026-01-01 nobody knows this one"; } >"$folder/limits.txt"
expect 1 "there is no path frame_painter" frame_reader

[ "$bad" = 0 ] && echo "the checker fails when it should"
exit "$bad"
