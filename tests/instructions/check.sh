#!/usr/bin/env bash
# check.sh PROGRAM LIMITS [PATH...]: counts the instructions of each hot path
# and compares them with the limits. 0: all hold; 1: one does not, or the file
# of limits is wrong; 77: valgrind is not on this machine.
set -euo pipefail
program=$1
limits=$2
shift 2

if ! command -v valgrind >/dev/null; then
  echo "skipped: valgrind is not installed (apt-get install valgrind)"
  exit 77
fi
bad=0
complain() {
  echo "$*"
  bad=1
}

# Every line: path, limit, date, and why. The last line of a path holds.
declare -A limit
while read -r name most date reason; do
  case $name in '' | '#'*) continue ;; esac
  [[ $most =~ ^[0-9]+$ && $date =~ ^20[0-9]{2}-[0-9]{2}-[0-9]{2}$ ]] ||
    complain "$limits: '$name $most $date' must be: path limit YYYY-MM-DD reason"
  [ "$(wc -w <<<"$reason")" -ge 3 ] ||
    complain "$limits: $name $most: say why, in three words at least"
  limit[$name]=$most
done <"$limits"

known=$("$program")
for name in $known; do
  [ -n "${limit[$name]:-}" ] || complain "$limits: no limit for $name"
done
for name in "${!limit[@]}"; do
  grep -qx "$name" <<<"$known" || complain "$limits: there is no path $name"
done
[ "$bad" = 0 ] || exit 1

# The C library chooses its memcpy by the processor; not here.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM
log=$(mktemp)
trap 'rm -f "$log"' EXIT
printf '%-20s%14s%14s\n' path instructions limit
for name in ${*:-$known}; do
  often=$(env -i GLIBC_TUNABLES="$GLIBC_TUNABLES" PATH="$PATH" \
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no \
    --toggle-collect=switchboard_measured --log-file="$log" "$program" "$name") || {
    cat "$log"
    complain "$name did not run"
    continue
  }
  total=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$log")
  each=$((total / often))
  printf '%-20s%14s%14s\n' "$name" "$each" "${limit[$name]}"
  [ "$each" -gt 0 ] || complain "  nothing was counted"
  if [ "$each" -gt "${limit[$name]}" ]; then
    complain "  $name takes more than its limit. Make it cheaper, or add a line with a" \
      "higher limit and the reason to $limits"
  elif [ "$each" -lt $((limit[$name] * 8 / 10)) ]; then
    echo "  (a fifth below its limit: lower it, so that it stays so)"
  fi
done
exit "$bad"
