#!/usr/bin/env bash
# The seams of ARCHITECTURE.md: which folder may include what. A rule that no
# machine checks is a wish.
set -u
cd "$(dirname "$0")/../.."
bad=0

# only_in PATTERN WHERE: includes that match PATTERN occur in files that match
# WHERE alone.
only_in() {
  local found
  found=$(git grep -nE "^#\s*include\s*[<\"]($1)" -- '*.cpp' '*.hpp' | grep -vE "^($2)" || true)
  if [ -n "$found" ]; then
    printf 'only %s may include %s, but:\n%s\n\n' "$2" "$1" "$found"
    bad=1
  fi
}

only_in 'nats/nats\.h|nats\.h' 'bus/nats/'
only_in 'libpq|pqxx' 'persistence/postgres/|bench/copy_floor\.cpp|tests/'
only_in 'boost/(beast|asio)' 'gateways/'
only_in '[^">]*\.pb\.h' 'bus/codec\.cpp|bus/draft\.cpp|bench/codec_floor\.cpp|tests/'
only_in 'caf/' 'actors/[^/]*\.(cpp|hpp):'
only_in 'jwt' 'gateways/auth/'
only_in 'CLI/' 'gateways/cli/|tests/'
only_in 'catch2/|rapidcheck' 'tests/'
only_in 'gateways/' 'gateways/|bench/|tests/'
only_in 'bench/' 'bench/|gateways/cli/|tests/'

# The domain is pure: itself, the standard library and Boost's result.
found=$(git grep -nE '^#\s*include' -- 'actors/domain/' |
  grep -vE 'include ("actors/domain/|<[a-z_]+>|<boost/system/result\.hpp>)' || true)
if [ -n "$found" ]; then
  printf 'actors/domain includes more than itself and std:\n%s\n\n' "$found"
  bad=1
fi
found=$(git grep -nE '_clock::now\(|\btime\(nullptr|random_device' -- 'actors/domain/' || true)
if [ -n "$found" ]; then
  printf 'actors/domain asks for the time or for chance:\n%s\n\n' "$found"
  bad=1
fi

# A file that nobody can hold in mind.
while read -r lines file; do
  if [ "$file" != total ] && [ "$lines" -gt 700 ]; then
    printf '%s has %s lines; split it by concern (limit: 700)\n' "$file" "$lines"
    bad=1
  fi
done < <(git ls-files '*.cpp' '*.hpp' '*.sql' | xargs wc -l)

[ "$bad" = 0 ] && echo "all seams hold"
exit "$bad"
