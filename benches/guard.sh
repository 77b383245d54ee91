#!/usr/bin/env bash
# Counts the instructions of one call of each workload of benches/guard, exactly: callgrind runs N and
# 2N of them, warmed up, and the difference is divided by N. Fails where one is more than 5 % above
# its figure in benches/guard.txt.
#
#   benches/guard.sh                       compare
#   benches/guard.sh --accept              write the figures of this machine into guard.txt
#   benches/guard.sh --functions WORKLOAD  where the instructions of one workload are spent, by
#                                          function, without those that it calls
set -euo pipefail
cd "$(dirname "$0")/.."
figures=benches/guard.txt
calls=1000

if ! command -v valgrind > /dev/null; then
    echo "valgrind is not installed: instructions are not compared with $figures"
    exit 0
fi
export CARGO_INCREMENTAL=0
cargo build --quiet -p guard --profile guard
guard=${CARGO_TARGET_DIR:-target}/guard/guard
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Which way a large block takes through the allocator depends on the blocks beside it, and those on
# hash seeds. With this all blocks take the short way; what allocates is counted in tests/cost.rs.
export GLIBC_TUNABLES=glibc.malloc.tcache_max=65536

# $1: workload, $2: calls, $3: where the profile goes. Prints the instructions of all calls.
count() {
    if ! valgrind --tool=callgrind --toggle-collect='guard::measured' --callgrind-out-file="$3" \
        "$guard" --case "$1" --iterations "$2" > "$work/log" 2>&1; then
        cat "$work/log" >&2
        return 1
    fi
    awk '/Collected :/ { print $NF }' "$work/log"
}

per_call() {
    local once twice
    once=$(count "$1" "$calls" /dev/null)
    twice=$(count "$1" $((2 * calls)) /dev/null)
    echo $(((twice - once + calls / 2) / calls))
}

if [ "${1:-}" = --functions ]; then
    count "${2:?which workload?}" "$calls" "$work/profile" > /dev/null
    echo "$2: instructions of one call by function"
    # A line is "1,234 (5.67%)  file:function [object]", one for each file that was inlined into it.
    callgrind_annotate --auto=no --threshold=100 "$work/profile" | awk -v calls="$calls" '
        /^ *[0-9,]+ .*:/ && !/PROGRAM TOTALS/ {
            gsub(",", "", $1)
            instructions = $1
            sub(/^ *[0-9,]+ *(\([ 0-9.]*%\))? */, "")
            sub(/^[^:]*:/, "")
            sub(/ \[[^\]]*\]$/, "")
            spent[$0] += instructions
        }
        END { for (name in spent) if (spent[name] >= calls / 2) printf "%8.1f  %s\n", spent[name] / calls, name }
    ' | sort -rn
    exit
fi

compiler=$(rustc --version)
machine=$(rustc --version --verbose | awk '/^host:/ { print $2 }')
if [ "${1:-}" = --accept ]; then
    {
        echo "# Instructions of one call, by benches/guard.sh --accept."
        echo "# $compiler, $machine"
        for workload in $("$guard" --list); do
            printf '%-20s %s\n' "$workload" "$(per_call "$workload")"
        done
    } > "$work/figures"
    mv "$work/figures" "$figures"
    cat "$figures"
    exit
fi

grown=
printf '%-20s %8s %8s\n' workload accepted now
for workload in $("$guard" --list); do
    accepted=$(awk -v name="$workload" '$1 == name { print $2 }' "$figures")
    now=$(per_call "$workload")
    mark=
    if [ -z "$accepted" ]; then
        mark="  NO FIGURE" grown=yes
    elif [ $((now * 100)) -gt $((accepted * 105)) ]; then
        mark="  GROWN by more than 5 %" grown=yes
    fi
    printf '%-20s %8s %8s%s\n' "$workload" "${accepted:--}" "$now" "$mark"
done
if ! grep -qF "# $compiler, $machine" "$figures"; then
    echo "the figures are of another compiler or machine than $compiler, $machine: not compared"
elif [ -n "$grown" ]; then
    echo "See what grew with 'benches/guard.sh --functions WORKLOAD'; where it is meant,"
    echo "accept the new figures with 'benches/guard.sh --accept' and commit $figures."
    exit 1
fi
