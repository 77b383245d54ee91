#!/usr/bin/env bash
# Runs the example `collected` against collectors that nobody here wrote, and compares what they
# decoded with what the program knows it did, number for number. They come from PyPI into a virtual
# environment of their own: `rotel` (a collector) and `oteltap` (a receiver that prints JSON).
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${COLLECTOR_VENV:-$(mktemp -d)/venv}
if [ ! -x "$venv/bin/oteltap" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check rotel==0.0.1a15 oteltap==1.0.0
fi
cargo build --quiet -p resilience-otel --example collected
target=$(cargo metadata --format-version 1 --no-deps | "$venv/bin/python" -c \
  'import json, sys; print(json.load(sys.stdin)["target_directory"])')
"$venv/bin/python" tests/collector.py "$target/debug/examples/collected"
