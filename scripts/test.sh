#!/usr/bin/env bash
# Contract tests under brownie, the page's under vitest, then the others under pytest, whose closing lines end the output.
# Fails when one of them fails.
set -uo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
brownie test --network anvil 2>&1 | tee "$log"
contracts=$?
(cd dashboard && npm test --silent)
page=$?
python -m pytest -p no:pytest-brownie "$@"
others=$?

[ "$page" -eq 0 ] || echo "The page's tests failed, further up."
if [ "$contracts" -ne 0 ]; then
  echo "The contract tests failed, further up:"
  grep -E '^(FAILED|ERROR)|^=+ .* in [0-9.]+' "$log" | tail -n 20
fi
[ "$contracts" -eq 0 ] && [ "$page" -eq 0 ] && [ "$others" -eq 0 ]
