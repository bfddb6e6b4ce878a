#!/usr/bin/env bash
# The tests marked slow, one after another; their times and closing line are kept in tests/slow.txt, with the commit.
set -uo pipefail
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

python -m pytest -p no:pytest-brownie -m slow -rs --durations=0 --durations-min=1 "$@" | tee "$log"
status=${PIPESTATUS[0]}
[ "$status" -eq 0 ] && [ $# -eq 0 ] && {
  echo "make slow, $(date -u +%F), after commit $(git rev-parse --short HEAD), $(nproc --all) processors"
  echo
  grep -E '^[0-9.]+s (call|setup) |^SKIPPED |^=+ .* in [0-9.]+' "$log" | tr -d '='
} >tests/slow.txt
exit "$status"
