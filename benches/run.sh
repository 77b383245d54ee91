#!/usr/bin/env bash
# Measures ours and other crates in the same run (benches/peers) and what grows with what
# (benches/peers/growth), and writes the tables of docs/performance.md and README.md, the chart
# docs/growth.svg, and JSON lines into target/peers/. Needs nothing but the toolchain; instructions
# are counted where valgrind is installed. Less than ten minutes after the build.
#
#   benches/run.sh           everything
#   benches/run.sh --counts  only print the JSON lines of instructions and allocations, which are the
#                            same in every run: diff <(benches/run.sh --counts) <(benches/run.sh --counts)
#   benches/run.sh --write   only write tables and chart again, from the figures of the last run
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/benches/peers/target}
bin=$CARGO_TARGET_DIR/release
out=$PWD/target/peers
results=$out/results.jsonl growth=$out/growth.jsonl machine=$out/machine.txt
mkdir -p "$out"

# $1: case, $2: --listener or nothing. Prints a line of JSON.
instructions() {
    local counted
    # shellcheck disable=SC2086
    counted=$(benches/count.sh peers::measured "$bin/peers" run ${2:-} "$1")
    # shellcheck disable=SC2086
    printf '{"workload":"%s","library":"%s","instructions":%s,"clock_readings":%s}\n' \
        "${1%/*}${2:+-listener}" "${1#*/}" $(cut -d' ' -f 1,3 <<< "$counted")
}
export -f instructions
export bin

# Lines of JSON of all cases.
counts() {
    "$bin/allocations"
    if command -v valgrind > /dev/null; then
        "$bin/peers" list | xargs -d '\n' -P "$(nproc)" -I{} bash -c 'set -e; instructions "$1"' _ {} | sort
        instructions stack/resilience --listener
    else
        echo "valgrind is not installed: the tables have no instructions" >&2
    fi
}

# The times of all cases, each in the best of five processes: how fast a case is depends a little on the
# addresses that its process got.
best() {
    for _ in 1 2 3 4 5; do "$bin/peers" time "$@"; done | awk '
        { key = ratio = $0; sub(/,"ns_minimum".*/, "", key); sub(/.*"ratio_to_bare":/, "", ratio); ratio += 0 }
        !(key in least) { order[++cases] = key }
        !(key in least) || ratio < least[key] { least[key] = ratio; line[key] = $0 }
        END { for (i = 1; i <= cases; i++) print line[order[i]] }'
}

version() { awk -v name="$1" '$0 == "name = \"" name "\"" { getline; gsub(/[^0-9.]/, ""); print; exit }' benches/peers/Cargo.lock; }

if [ "${1:-}" = --counts ]; then
    cargo build --quiet --release --manifest-path benches/peers/Cargo.toml
    counts
    exit
fi
if [ "${1:-}" != --write ]; then
    cargo build --quiet --release --workspace --manifest-path benches/peers/Cargo.toml
    best > "$results"
    best --listener >> "$results"
    "$bin/peers" threads >> "$results"
    counts >> "$results"
    "$bin/growth" > "$growth"
    {
        awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo | tr '\n' ','
        printf ' %s cores; %s; opt-level 3, one codegen unit; ' "$(nproc)" "$(rustc --version)"
        for crate in tokio tower tower-resilience seatbelt backon failsafe recloser governor; do
            printf '%s %s, ' "$crate" "$(version $crate)"
        done
        printf 'on %s, at commit %s.\n' "$(date -u +%F)" "$(git describe --always --dirty 2> /dev/null || echo unknown)"
    } > "$machine"
fi
"$bin/report" "$results" "$growth" "$machine" "$PWD"
echo "$results, $growth, docs/performance.md, docs/growth.svg and README.md are written"
