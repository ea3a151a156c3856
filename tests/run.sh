#!/usr/bin/env bash
# All suites in order, with the minutes each took. KHERD_FULL=1 runs the full counts.
set -u
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=()
spent=()

suite() {
  local name=$1 began=$SECONDS
  shift
  echo "=== $name"
  "$@" || failed+=("$name")
  spent+=("$(awk -v s=$((SECONDS - began)) -v n="$name" 'BEGIN { printf "%-28s %5.1f min", n, s / 60 }')")
}

suite "static" make --no-print-directory check
suite "unit" $bin/python -m pytest -q tests/unit
suite "property" $bin/python -m pytest -q -n 2 tests/property
suite "package" $bin/python -m pytest -q tests/package
suite "systemd" $bin/python -m pytest -q tests/systemd
# These wait most of the time, so that three at a time are no slower; what measures time has the machine for itself.
suite "contract + integration" $bin/python -m pytest -q -n 3 --dist loadfile --durations 30 -m "not alone" tests/contract tests/integration
suite "integration, alone" $bin/python -m pytest -q -m alone tests/integration

echo "=== minutes per suite"
printf '%s\n' "${spent[@]}"
if [ ${#failed[@]} -gt 0 ]; then
  echo "FAILED: ${failed[*]}"
  exit 1
fi
