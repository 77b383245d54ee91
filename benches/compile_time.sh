#!/usr/bin/env bash
# What the attributes cost to compile: 200 async functions of six lines, bare, with
# `#[tracing::instrument]` (also without its fields), with `#[cached]` and `#[once]`, with
# `#[resilient]` and with `#[fail_fast]`. For each: the best of three `cargo check`, debug build and
# release build, in processor time, which other work on the machine disturbs less than the clock;
# and the size of the library. Where valgrind is there, also the instructions of the check, which
# nothing disturbs. At the end, a build of each crate from nothing, and how many crates it takes. The
# tables are printed, and put into docs/performance.md.
#
#   benches/compile_time.sh [functions [repetitions]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
count=${1:-200}
repetitions=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/src"
cat > "$work/Cargo.toml" <<TOML
[package]
name = "compile_time"
version = "0.0.0"
edition = "2024"

[dependencies]
cached = { version = "4", features = ["async"] }
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
#[derive(Clone, Debug)]
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
    for _ in $(seq "$repetitions"); do
        touch "$work/src/lib.rs"
        taken=$( { time (cd "$work" && "$@" > /dev/null 2>&1); } 2>&1 | awk '{ print int(1000 * ($1 + $2)) }')
        if [ -z "$best" ] || [ "$taken" -lt "$best" ]; then best=$taken; fi
    done
    echo "$best"
}

# The millions of instructions that the compiler takes for a check, if valgrind can count them.
# Cargo starts it like any other compiler.
cat > "$work/counted" <<'SH'
#!/usr/bin/env bash
case " $* " in
*" --crate-name compile_time "*) exec valgrind --tool=cachegrind --cache-sim=no \
    --cachegrind-out-file=/dev/null --log-file="$COUNTED" "$REAL_RUSTC" "${@:2}" ;;
*) exec "$@" ;;
esac
SH
chmod +x "$work/counted"
instructions() {
    command -v valgrind > /dev/null || { echo -; return; }
    touch "$work/src/lib.rs"
    (cd "$work" && RUSTC_WRAPPER="$work/counted" COUNTED="$work/count" \
        REAL_RUSTC="$(rustc --print sysroot)/bin/rustc" \
        LD_LIBRARY_PATH="$(rustc --print sysroot)/lib" cargo check --offline > /dev/null 2>&1)
    awk '/I +refs/ { gsub(",", "", $NF); print int($NF / 1000000) }' "$work/count"
}

export CARGO_TARGET_DIR="$work/target" CARGO_INCREMENTAL=0
generate '' > "$work/src/lib.rs"
# What all variants depend on is there before the clock starts.
(cd "$work" && cargo check -q && cargo build -q && cargo build -q --release) 2> /dev/null
row() { printf '| %s | %s | %s | %s | %s | %s |\n' "$@" | tee -a "$work/tables"; }
row "$count functions" 'check, M instructions' 'check, ms' 'debug, ms' 'release, ms' 'library, KiB'
row --- --: --: --: --: --:
measure() {
    generate "$2" > "$work/src/lib.rs"
    counted=$(instructions)
    check=$(milliseconds cargo check --offline)
    debug=$(milliseconds cargo build --offline)
    size=$(($(stat -c %s "$work/target/debug/libcompile_time.rlib") / 1024))
    release=$(milliseconds cargo build --offline --release)
    row "$1" "$counted" "$check" "$debug" "$release" "$size"
}
measure 'bare' ''
measure '`#[instrument]`' '#[tracing::instrument]'
measure '`#[instrument(skip_all)]`' '#[tracing::instrument(skip_all)]'
measure '`#[cached]`' '#[cached::proc_macro::cached(key = "u64", convert = "{ number }")]'
measure '`#[once]`' '#[cached::proc_macro::once]'
measure '`#[resilient]`' '#[resilience::resilient(category = "network", retries = 2)]'
measure '`#[fail_fast]`' '#[resilience::fail_fast(timeout = "5s")]'

printf '\n' | tee -a "$work/tables"

# $1: a crate, as its line in a manifest
clean() {
    local name=${1%% *} clean="$work/clean-${1%% *}" crates took TIMEFORMAT='%R %U %S'
    mkdir -p "$clean/src"
    touch "$clean/src/lib.rs"
    printf '[package]\nname = "clean"\nversion = "0.0.0"\nedition = "2024"\n\n' > "$clean/Cargo.toml"
    printf '[dependencies]\n%s\n\n[workspace]\n' "$1" >> "$clean/Cargo.toml"
    cp "$work/Cargo.lock" "$clean/Cargo.lock"
    crates=$(cd "$clean" && cargo tree --prefix none -e normal,build 2> /dev/null |
        sed 's/ (\*)$//' | sort -u | grep -vc '^clean ')
    row "$name" "$crates" $(for profile in dev release; do
        took=$( { time (cd "$clean" && CARGO_TARGET_DIR="$clean/target" cargo build -q --profile $profile > /dev/null 2>&1); } 2>&1)
        # shellcheck disable=SC2086
        set -- $took
        echo "$1" "$(awk "BEGIN { print $2 + $3 }")"
    done)
}
row 'from nothing' 'crates' 'debug, s' 'of processors' 'release, s' 'of processors'
row --- --: --: --: --: --:
clean "resilience = { path = \"$root\" }"
clean 'cached = { version = "4", features = ["async"] }'
clean 'tracing = "0.1"'

# Between its two marks.
awk -v tables="$work/tables" '
    /<!-- \/compile -->/ { inside = 0 }
    !inside { print }
    /<!-- compile -->/ { inside = 1; while ((getline line < tables) > 0) print line }
' "$root/docs/performance.md" > "$work/page"
cat "$work/page" > "$root/docs/performance.md"
