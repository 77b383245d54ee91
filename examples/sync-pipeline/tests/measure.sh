#!/usr/bin/env bash
# Measures a release build: 10,000 real files (sources of the toolchain and of the registry) with 1, 4
# and 8 workers, each time into a database of its own; then, in a dry run, whether a million records
# take more memory than a tenth of them.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cargo build --quiet --release -p sync-pipeline --bin sync-pipeline
bin=$(realpath "${CARGO_TARGET_DIR:-target}")/release/sync-pipeline

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset "${!SYNC_PIPELINE_@}"

row() { printf '%-24s%-10s%-10s%-10s%s\n' "$@"; }

seconds() { awk "BEGIN { printf \"%.1f s\", $1 / $2 }"; }

# measure NAME INPUT OPTION...: prints a row; the memory is the most that was resident at any time.
measure() {
  local name=$1 input=$2 began ms peak=0 ticks=0 now spent records
  shift 2
  began=$(date +%s%N)
  "$bin" sync --input "$input" "$@" >"$folder/out" 2>&1 &
  local program=$!
  while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$program/status" 2>/dev/null) && [ -n "$now" ]; do
    peak=$now
    spent=$(awk '{ print $14 + $15 }' "/proc/$program/stat" 2>/dev/null) && ticks=${spent:-$ticks}
    sleep 0.02
  done
  wait "$program" || true # files that are not UTF-8 fail
  ms=$((($(date +%s%N) - began) / 1000000))
  records=$(wc -l <"$input")
  row "$name" "$(seconds "$ms" 1000)" "$(seconds "${ticks:-0}" "$(getconf CLK_TCK)")" \
    "$((peak / 1024)) MiB" "$((records * 1000 / ms))/s"
}

{
  find "$(rustc --print sysroot)" "${CARGO_HOME:-$HOME/.cargo}/registry/src" -type f \
    \( -name '*.rs' -o -name '*.md' -o -name '*.toml' -o -name '*.py' \) 2>/dev/null || true
} | LC_ALL=C sort | awk 'NR <= 10000' >"$folder/files"
bytes=$(tr '\n' '\0' <"$folder/files" | du -bc --files0-from=- | awk 'END { print $1 }')
echo "$(wc -l <"$folder/files") files, $((bytes / 1024 / 1024)) MiB; $(nproc) processors," \
  "load $(cut -d' ' -f1 /proc/loadavg)"
row run time processor memory records
for workers in 1 4 8; do
  options=(--db "$folder/$workers.db" --workers "$workers")
  measure "$workers workers" "$folder/files" "${options[@]}"
  grep '^  [0-9]* records: ' "$folder/out"
  measure "$workers workers, unchanged" "$folder/files" "${options[@]}"
done
for records in 100000 1000000; do
  seq "$records" | sed 's/.*/{"path": "&.txt", "content": "The text of record &."}/' >"$folder/many"
  measure "$records records" "$folder/many" --dry-run --db "$folder/many.db"
done
