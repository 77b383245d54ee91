#!/usr/bin/env bash
# Model-checks what threads share: the breaker, the limiter, the bulkhead, the budget, the pools, the
# keys, what blocking work holds, and who is in flight when a runtime is drained; as they ship, with
# atomics and locks swapped for loom's (`src/sync.rs`). About a minute, most of it for the first
# build.
#
#   resilience-core/loom.sh                  every `loom_` test
#   resilience-core/loom.sh bulkhead::loom   those with this in their path
#   LOOM_MAX_PREEMPTIONS=5 resilience-core/loom.sh    more interleavings, longer
set -euo pipefail
cd "$(dirname "$0")/.."

# Almost every fault shows with two threads that are interrupted three times at most.
export LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-3}
export RUSTFLAGS="${RUSTFLAGS:-} --cfg loom"
# Its own directory: other flags would build everything anew each time.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/loom
export CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0

cargo test -p resilience-core --lib --release "${1:-loom_}"
