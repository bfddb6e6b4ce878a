#!/usr/bin/env bash
# Style, types of Python and TypeScript, the rules of the house, and slither. Each runs whatever the others say; fails when one fails.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
check() {
  echo "== $1"
  "${@:2}" || failed+=("$1")
}

check ruff ruff check .
check mypy mypy
check tsc npm run --silent --prefix dashboard check
check house python -m pytest -q -p no:pytest-brownie tests/unit/test_house.py
check slither python -m scripts.slither_check

if [ ${#failed[@]} -ne 0 ]; then
  echo "Failed: ${failed[*]}"
  exit 1
fi
