#!/usr/bin/env bash
# Counts what one call of each workload of benches/guard costs, exactly (count.sh): instructions,
# allocations, and readings of the clock. Fails where instructions are more than 5 % above their figure
# in benches/guard.txt, or one of the others is above it at all.
#
#   benches/guard.sh                       compare
#   benches/guard.sh --accept              write the figures of this machine into guard.txt
#   benches/guard.sh --functions WORKLOAD  where the instructions of one workload are spent, by
#                                          function, without those that it calls
set -euo pipefail
cd "$(dirname "$0")/.."
figures=benches/guard.txt

if ! command -v valgrind > /dev/null; then
    echo "valgrind is not installed: instructions are not compared with $figures"
    exit 0
fi
export CARGO_INCREMENTAL=0
cargo build --quiet -p guard --profile guard
guard=${CARGO_TARGET_DIR:-target}/guard/guard
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# $1: workload, $2: --functions or nothing.
count() {
    # shellcheck disable=SC2086
    benches/count.sh ${2:-} guard::measured "$guard" --case "$1" --iterations
}

all() {
    local workload counted
    for workload in $("$guard" --list); do
        counted=$(count "$workload")
        # shellcheck disable=SC2086
        printf '%-20s %12s %12s %9s\n' "$workload" $counted
    done
}

if [ "${1:-}" = --functions ]; then
    echo "${2:?which workload?}: instructions of one call by function"
    count "$2" --functions
    exit
fi

compiler=$(rustc --version --verbose | awk '/^release:/ { release = $2 } /^host:/ { host = $2 } END { print "rustc " release ", " host }')
if [ "${1:-}" = --accept ]; then
    {
        echo "# What one call costs, by benches/guard.sh --accept with"
        echo "# $compiler"
        printf '%-20s %12s %12s %9s\n' '# workload' instructions allocations readings
        all
    } > "$work/figures"
    mv "$work/figures" "$figures"
    cat "$figures"
    exit
fi

printf '%-20s %12s %12s %9s\n' workload instructions allocations readings
all > "$work/now"
grown=0
awk '
    /^#/ { next }
    NR == FNR { for (i = 2; i <= 4; i++) accepted[$1, i] = $i; next }
    {
        mark = ""
        if (!(($1, 2) in accepted)) mark = "NO FIGURE"
        else if ($2 > accepted[$1, 2] * 1.05 || $3 > accepted[$1, 3] || $4 > accepted[$1, 4])
            mark = "GROWN from " accepted[$1, 2] ", " accepted[$1, 3] ", " accepted[$1, 4]
        if (mark != "") grown = 1
        print $0, " " mark
    }
    END { exit grown }
' "$figures" "$work/now" || grown=1

if ! grep -qxF "# $compiler" "$figures"; then
    echo "the figures of $figures are of another compiler than $compiler: not compared"
elif [ "$grown" = 1 ]; then
    echo "'benches/guard.sh --functions WORKLOAD' tells by function. Where the growth is meant,"
    echo "accept it with 'benches/guard.sh --accept' and commit $figures."
    exit 1
fi
