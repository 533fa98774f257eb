#!/usr/bin/env bash
# run.sh BINARY FOLDER TEST: installs the clients of the lock file in FOLDER (once),
# and runs TEST, one of the .mjs files here, with them against BINARY.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$1 folder=$2 test=$3

mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9 # Two tests may begin at the same time.
if ! cmp -s "$here/package-lock.json" "$folder/node_modules/.lock-of-ours"; then
  cp "$here/package.json" "$here/package-lock.json" "$folder"
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
  cp "$here/package-lock.json" "$folder/node_modules/.lock-of-ours"
fi
cp "$here"/*.mjs "$folder"
exec 9>&-

export SWITCHBOARD_SOURCE=$here/../..
exec node "$folder/$test" "$binary"
