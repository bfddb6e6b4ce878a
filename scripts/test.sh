#!/usr/bin/env bash
# The page's tests under vitest while the contracts compile, then, beside each other, the contract tests under brownie and all
# others under pytest in three processes, since federations wait for their chain most of the time. Its closing lines end the
# output. Fails when one of them fails.
set -uo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1 # the cores are shared out already
unset PYTHONDONTWRITEBYTECODE # hundreds of processes would compile the same modules anew

log=$(mktemp)
compiling=$(mktemp)
beside= # the group of what runs beside, which can be ended with its chain
trap '[ -z "$beside" ] || kill -INT -- "-$beside" 2>/dev/null; rm -f "$log" "$compiling"' EXIT
closing() { grep -E '^=+ .* in [0-9.]+' "$log" | tail -n 1; }

# Before all that need it, so that no two do it at once. What it kept of a source that is gone breaks it.
set -m
(brownie compile || { rm -rf .brownie/contracts; brownie compile; }) >"$compiling" 2>&1 &
beside=$!
set +m
(cd dashboard && npm test --silent)
page=$?
wait "$beside"
cat "$compiling"

set -m
(brownie test --network anvil >"$log" 2>&1; status=$?; echo; echo "Contract tests: $(closing)"; exit $status) &
beside=$!
set +m
python -m pytest -p no:pytest-brownie -n 3 --no-loadscope-reorder "$@"
others=$?
! kill -0 "$beside" 2>/dev/null || echo "The contract tests are still running …"
wait "$beside"
passed=$?
beside=

[ "$page" -eq 0 ] || echo "The page's tests failed, further up."
if [ "$passed" -ne 0 ]; then
  cat "$log"
  echo "The contract tests failed:"
  grep -E '^(FAILED|ERROR)' "$log" | tail -n 20
  closing
fi
[ "$passed" -eq 0 ] && [ "$page" -eq 0 ] && [ "$others" -eq 0 ]
