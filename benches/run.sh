#!/usr/bin/env bash
# Measures ours and other crates in the same run (benches/peers) and what grows with what
# (benches/peers/growth), and writes the tables of docs/performance.md and README.md, the chart
# docs/growth.svg, and JSON lines into target/peers/. Needs nothing but the toolchain; instructions
# are counted where valgrind is installed. Less than ten minutes after the build.
#
#   benches/run.sh           everything
#   benches/run.sh --write   only write tables and chart again, from the figures of the last run
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/benches/peers/target}
bin=$CARGO_TARGET_DIR/release
out=$PWD/target/peers
results=$out/results.jsonl growth=$out/growth.jsonl machine=$out/machine.txt
mkdir -p "$out"
calls=1000

# $1: case, $2: calls, $3: --listener or nothing. Prints "total INSTRUCTIONS ALLOCATIONS READINGS".
count() {
    local profile
    profile=$(mktemp -p "$out")
    # shellcheck disable=SC2086
    valgrind --tool=callgrind --toggle-collect='peers::measured' --callgrind-out-file="$profile" \
        "$bin/peers" run "$1" "$2" $3 2> "$profile.log" || { cat "$profile.log" >&2; return 1; }
    awk -f benches/callgrind.awk "$profile" | tail -n 1
    rm "$profile" "$profile.log"
}

# $1: case, $2: --listener or nothing. Prints a line of JSON.
instructions() {
    { count "$1" "$calls" "${2:-}"; count "$1" $((2 * calls)) "${2:-}"; } | awk -v calls="$calls" -v name="$1" -v suffix="${2:+-listener}" '
        { for (i = 2; i <= 4; i++) { spent[i] = $i - before[i]; before[i] = $i } }
        END {
            split(name, part, "/")
            printf "{\"workload\":\"%s%s\",\"library\":\"%s\",\"instructions\":%.0f,\"clock_readings\":%.0f}\n",
                part[1], suffix, part[2], spent[2] / calls, spent[4] / calls
        }'
}
export -f count instructions
export bin out calls

version() { awk -v name="$1" '$0 == "name = \"" name "\"" { getline; gsub(/[^0-9.]/, ""); print; exit }' benches/peers/Cargo.lock; }

if [ "${1:-}" != --write ]; then
    cargo build --quiet --release --workspace --manifest-path benches/peers/Cargo.toml
    "$bin/peers" time > "$results"
    "$bin/peers" time --listener >> "$results"
    "$bin/peers" threads >> "$results"
    "$bin/allocations" >> "$results"
    "$bin/growth" > "$growth"
    if command -v valgrind > /dev/null; then
        "$bin/peers" list | xargs -d '\n' -P "$(nproc)" -I{} bash -c 'instructions "$1"' _ {} > "$out/instructions.jsonl"
        instructions stack/resilience --listener >> "$out/instructions.jsonl"
        cat "$out/instructions.jsonl" >> "$results"
    else
        echo "valgrind is not installed: the tables have no instructions" >&2
    fi
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
