#!/usr/bin/env bash
# Counts what one call costs: callgrind runs a program that makes N warmed-up calls in FUNCTION and one
# that makes 2N, and the difference is divided by N. Prints instructions (without those inside the
# allocator), allocations, and readings of the clock. Nothing in the program depends on the time or on
# random numbers (repeatable.c), so the figures are the same in every run.
#
#   benches/count.sh FUNCTION PROGRAM ARGUMENT..   runs `PROGRAM ARGUMENT.. N`
#   benches/count.sh --functions FUNCTION ..       prints the instructions by function instead,
#                                                  without those that it calls
set -euo pipefail
benches=$(cd "$(dirname "$0")" && pwd)
by_function=0
if [ "$1" = --functions ]; then by_function=1; shift; fi
function=$1
shift
calls=1000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -O2 -shared -fPIC -o "$work/repeatable.so" "$benches/repeatable.c"

for n in "$calls" $((2 * calls)); do
    LD_PRELOAD=$work/repeatable.so valgrind --tool=callgrind --toggle-collect="$function" \
        --callgrind-out-file="$work/profile" "$@" "$n" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    awk -f "$benches/callgrind.awk" "$work/profile" > "$work/$n"
done
awk -v calls="$calls" -v by_function="$by_function" '
    $1 == "total" {
        for (i = 2; i <= 4; i++) { sum[i] = $i - before[i]; before[i] = $i }
        next
    }
    { count = $1; sub(/^[0-9]+ /, ""); if (NR == FNR) once[$0] = count; else spent[$0] = count - once[$0] }
    END {
        if (!by_function) printf "%.0f %.0f %.0f\n", sum[2] / calls, sum[3] / calls, sum[4] / calls
        else for (name in spent) if (spent[name] >= calls / 2) printf "%8.1f  %s\n", spent[name] / calls, name | "sort -rn"
    }' "$work/$calls" "$work/$((2 * calls))"
