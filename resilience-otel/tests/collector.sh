#!/usr/bin/env bash
# Runs the example `collected` and the sync pipeline, with dependencies that fail, against collectors
# that nobody here wrote, and compares what these decoded with what the programs know they did, number
# for number. The collectors come from PyPI into a virtual environment: `rotel` (a collector) and
# `oteltap` (a receiver that prints JSON). COLLECTOR_VENV names one to keep for the next time.
set -euo pipefail
cd "$(dirname "$0")/../.."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
venv=${COLLECTOR_VENV:-$temporary/venv}
if [ ! -x "$venv/bin/oteltap" ]; then
  if ! { python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check rotel==0.0.1a15 oteltap==1.0.0; }; then
    echo 'collector.sh: the collectors cannot be installed from PyPI: nothing was compared' >&2
    exit 1
  fi
fi
cargo build --quiet -p resilience-otel --example collected
cargo build --quiet -p sync-pipeline --bin sync-pipeline --example fake_servers
"$venv/bin/python" resilience-otel/tests/collector.py "$(realpath "${CARGO_TARGET_DIR:-target}")/debug"
