#!/usr/bin/env bash
# What the attributes cost to compile: 200 async functions of six lines, bare, with
# `#[tracing::instrument]`, with `#[resilient]` and with `#[fail_fast]`. For each: the best of
# three `cargo check`, debug build and release build, in processor time, which other work on the
# machine disturbs less than the clock; and the size of the library.
#
#   benches/compile_time.sh [functions]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
count=${1:-200}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/src"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "compile_time"
version = "0.0.0"
edition = "2024"

[dependencies]
resilience = { path = "$root" }
tokio = { version = "1", default-features = false, features = ["rt", "time"] }
tracing = "0.1"

[profile.release]
opt-level = 2

[workspace]
TOML
cp "$root/Cargo.lock" "$work/Cargo.lock"

# $1: the attribute
generate() {
    cat <<'RUST'
#[derive(Debug)]
pub struct Failed(String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

impl From<resilience::Error> for Failed {
    fn from(error: resilience::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<std::num::ParseIntError> for Failed {
    fn from(error: std::num::ParseIntError) -> Self {
        Self(error.to_string())
    }
}
RUST
    i=0
    while [ "$i" -lt "$count" ]; do
        cat <<RUST

$1
pub async fn call_$i(text: &str, owned: String, number: u64) -> Result<u64, Failed> {
    let parsed: u64 = text.parse()?;
    tokio::time::sleep(std::time::Duration::from_millis(number)).await;
    if parsed == $i {
        return Err(Failed(owned));
    }
    Ok(parsed + owned.len() as u64)
}
RUST
        i=$((i + 1))
    done
}

# The processor time that a command takes, in milliseconds, after a change to the source.
milliseconds() {
    local best= taken TIMEFORMAT='%U %S'
    for _ in 1 2 3; do
        touch "$work/src/lib.rs"
        taken=$( { time (cd "$work" && "$@" > /dev/null 2>&1); } 2>&1 | awk '{ print int(1000 * ($1 + $2)) }')
        if [ -z "$best" ] || [ "$taken" -lt "$best" ]; then best=$taken; fi
    done
    echo "$best"
}

export CARGO_TARGET_DIR="$work/target" CARGO_INCREMENTAL=0
generate '' > "$work/src/lib.rs"
# What all variants depend on is there before the clock starts.
(cd "$work" && cargo check -q && cargo build -q && cargo build -q --release) 2> /dev/null
printf '%-24s %10s %10s %12s %12s\n' "$count functions" 'check ms' 'debug ms' 'release ms' 'rlib KiB'
measure() {
    generate "$2" > "$work/src/lib.rs"
    check=$(milliseconds cargo check --offline)
    debug=$(milliseconds cargo build --offline)
    size=$(($(stat -c %s "$work/target/debug/libcompile_time.rlib") / 1024))
    release=$(milliseconds cargo build --offline --release)
    printf '%-24s %10s %10s %12s %12s\n' "$1" "$check" "$debug" "$release" "$size"
}
measure 'bare' ''
measure '#[tracing::instrument]' '#[tracing::instrument(skip_all)]'
measure '#[resilient]' '#[resilience::resilient(category = "network", retries = 2)]'
measure '#[fail_fast]' '#[resilience::fail_fast(timeout = "5s")]'
