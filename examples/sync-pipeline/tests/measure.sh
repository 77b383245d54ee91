#!/usr/bin/env bash
# Indexes 10,000 real files (sources of the toolchain and of the registry) with 1, 4 and 8 workers,
# each into a database of its own, with a release build: time, memory, records per second.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cargo build --quiet --release -p sync-pipeline --bin sync-pipeline
bin=$(realpath "${CARGO_TARGET_DIR:-target}")/release/sync-pipeline

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset "${!SYNC_PIPELINE_@}"
{
  find "$(rustc --print sysroot)" "${CARGO_HOME:-$HOME/.cargo}/registry/src" -type f \
    \( -name '*.rs' -o -name '*.md' -o -name '*.toml' -o -name '*.py' \) 2>/dev/null || true
} | LC_ALL=C sort | awk 'NR <= 10000' >"$folder/files"
files=$(wc -l <"$folder/files")
bytes=$(tr '\n' '\0' <"$folder/files" | du -bc --files0-from=- | awk 'END { print $1 }')
echo "$files files, $((bytes / 1024 / 1024)) MiB, $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"

# run WORKERS NAME: prints a row; the memory is the most that was resident at any time.
run() {
  local began ended ms peak=0 now
  began=$(date +%s%N)
  "$bin" sync --input "$folder/files" --db "$folder/$1.db" --workers "$1" >"$folder/out" 2>&1 &
  local program=$!
  while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$program/status" 2>/dev/null) && [ -n "$now" ]; do
    peak=$now
    sleep 0.02
  done
  wait "$program" || true # files that are not UTF-8 fail
  ended=$(date +%s%N)
  ms=$(((ended - began) / 1000000))
  printf '%-9s%-12s%-10s%-12s%s\n' "$1" "$2" "$((ms / 1000)).$(printf %03d $((ms % 1000))) s" \
    "$((peak / 1024)) MiB" "$((files * 1000 / ms))"
}

printf '%-9s%-12s%-10s%-12s%s\n' workers run time memory records/s
for workers in 1 4 8; do
  run "$workers" first
  grep ' records: ' "$folder/out"
  run "$workers" unchanged
done
