#!/usr/bin/env bash
# Walks through the application as a newcomer would: every command with the output and the exit
# status that it must have. The first six are the error handling guide's own tests, corrected.
# Needs the Rust toolchain alone; everything happens in a folder of its own, on loopback.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cargo build --quiet -p sync-pipeline --bin sync-pipeline --example fake_servers
bin=$(realpath "${CARGO_TARGET_DIR:-target}")/debug
repository=$PWD
folder=$(mktemp -d)
trap 'exec 9>&- || true; rm -rf "$folder"' EXIT
cd "$folder"
unset WCD_URL WEAVIATE_URL WCD_API_KEY WEAVIATE_API_KEY "${!SYNC_PIPELINE_@}"
passed=0

sync-pipeline() { "$bin/sync-pipeline" "$@"; }

# check NAME STATUS PATTERN...: what the last command said and how it ended.
check() {
  local name=$1 status=$2 pattern
  shift 2
  if [ "$ended" -ne "$status" ]; then
    printf 'FAILED %s: exit status %s, not %s\n%s\n' "$name" "$ended" "$status" "$said"
    exit 1
  fi
  for pattern in "$@"; do
    if ! grep -Eq -- "$pattern" <<<"$said"; then
      printf 'FAILED %s: nothing says %s\n%s\n' "$name" "$pattern" "$said"
      exit 1
    fi
  done
  passed=$((passed + 1))
  printf 'ok %2d %s\n' "$passed" "$name"
}

# try COMMAND...: keeps what it says and how it ends. Its standard input is ours.
try() {
  ended=0
  said=$("$@" 2>&1) || ended=$?
}

# wait_for SECONDS COMMAND...: until it succeeds, in steps.
wait_for() {
  local steps=$(($1 * 20))
  shift
  until "$@"; do
    steps=$((steps - 1))
    [ "$steps" -gt 0 ] || { echo "FAILED: waited for $*"; exit 1; }
    sleep 0.05
  done
}

# serve [slow]: starts the fake servers; $weaviate and $embeddings are their addresses. They end
# when descriptor 9 is closed.
serve() {
  rm -f addresses pipe
  mkfifo pipe
  "$bin/examples/fake_servers" "$@" <pipe >addresses 9>&- &
  exec 9>pipe
  wait_for 10 test -s addresses
  read -r weaviate embeddings <addresses
}

# --- The guide's six.

# The variable is set on the tool, not on `echo`, and no --dry-run keeps it from the network.
echo 'print(zweizahn)' >test.py
try env WCD_URL=http://127.0.0.1:1 "$bin/sync-pipeline" sync --stdin --verbose <<<'test.py'
check 'a server that is not there' 1 'failed test.py \[network:medium\]: .*refused' \
  '1 kept until the index answers again'

printf '\xff\xfe\x00\x00invalid' >bad_encoding.txt
try sync-pipeline sync --stdin --verbose <<<"$PWD/bad_encoding.txt"
check 'an encoding error is not retried' 1 '\[encoding:low\]: not UTF-8: invalid bytes at offset 0' \
  '1 attempt of annotated steps, 0 of them retries'

try sync-pipeline errors --summary --recent 5
check 'errors of earlier processes' 0 'since the last reset: 2' '1  encoding:low' '1  network:medium' \
  'line 1  modify  test.py  network:medium'

# One process, so that the breaker lives long enough, and a dead port: missing files are the
# caller's own fault and open nothing.
seq -f '{"path": "file%g.py", "content": "x"}' 1 10 >ten
cat >settings.toml <<'END'
[services.vector_index.breaker]
distinct_calls = 1
END
try sync-pipeline sync --input ten --weaviate http://127.0.0.1:1 --workers 1 --batch-size 1 \
  --settings settings.toml
check 'the breaker opens after the fifth failure' 1 'vector_index: open \(5 failures\)' \
  'network:(low|medium)' '8  service:high'

try sync-pipeline sync --stdin --verbose < <(find "$repository" -name '*.rs' -not -path '*/target/*' | head -50)
check 'a large batch' 0 '50 records: 50 indexed'

serve slow
try env SYNC_PIPELINE_SHORT_TIMEOUT=0.001 "$bin/sync-pipeline" sync --stdin --weaviate "$weaviate" <<<'test.py'
check 'a very short time limit' 1 '\[(timeout|network):(low|medium)\]: looking the document up'
exec 9>&-

# --- And what the application does besides.

try sync-pipeline errors --reset
check 'forgetting errors' 0 '^Forgot [0-9]+ errors?$'

try sync-pipeline errors
check 'no errors' 0 '^No recent errors$'

try sync-pipeline sync --stdin --dry-run --collection Dry <<<'test.py'
check 'a dry run' 0 'would modify test.py \(16 bytes\)' 'The index was not touched'

try sync-pipeline sync --input - <<<'"test.py"'
check 'a path as a JSON string' 0 '1 record: 1 indexed'

try sync-pipeline sync --stdin <<<'test.py'
check 'nothing to do' 0 'Nothing changed: the index is up to date'

try sync-pipeline search zweizahn
check 'a search' 0 '^1\. test\.py:1-1'

try sync-pipeline sync --stdin <<<'{"path": "test.py", "op": "delete"}'
check 'a deletion' 0 '1 deleted'

printf 'later.txt\n[1, 2]\n' >two
try sync-pipeline sync --input two --json
check 'JSON for programs' 1 '"category":"filesystem"' '"category":"validation"' '"event":"summary"'

try sync-pipeline failed
check 'failed records are listed' 0 'line 1: modify later.txt \[filesystem:low\] tried 1x' \
  'line 2: parse - \[validation:low\]'

echo 'here at last' >later.txt
try sync-pipeline retry --category filesystem
check 'failed records are tried again' 0 '1 record: 1 indexed'

printf 'later.txt\nnone.txt\n%s\n' "$(cat ten)" >some
try sync-pipeline sync --input some --on-error stop --workers 1
check 'the first failure can be the end' 1 'failed none.txt' 'goes on where this run ended'

try sync-pipeline sync --input some
check 'a stopped run is taken up again' 1 '^Taking up run sync_' 'done before' 'failed none.txt'

serve slow
seq -f '{"path": "kill%g.py", "content": "x"}' 1 40 >forty
on_weaviate=(sync --input forty --weaviate "$weaviate" --workers 4 --batch-size 2 --verbose)
: >killed
"$bin/sync-pipeline" "${on_weaviate[@]}" >killed 2>&1 9>&- &
child=$!
wait_for 10 grep -q ': indexed ' killed
{ kill -9 "$child" && wait "$child"; } 2>/dev/null || true
try sync-pipeline status --recent 1
check 'a killed run is known to be left behind' 0 'left behind: '

: >interrupted
"$bin/sync-pipeline" "${on_weaviate[@]}" >interrupted 2>&1 9>&- &
child=$!
wait_for 10 grep -q ': indexed ' interrupted
kill -TERM "$child"
ended=0
wait "$child" || ended=$?
said=$(cat interrupted)
check 'SIGTERM finishes what is in flight' 143 'SIGTERM: finishing' 'goes on where this run ended'

try sync-pipeline "${on_weaviate[@]}"
check 'the rest comes later' 0 '^Taking up run' 'done before'

try sync-pipeline status --ready --weaviate "$weaviate"
check 'an index that is ready' 0 ': ready$'

try sync-pipeline sync --stdin --embeddings http://127.0.0.1:1 --embedding-model m \
  --collection Vectors <<<'later.txt'
check 'no embeddings, no loss' 1 '1 kept until the embedding service answers again'

try sync-pipeline retry --embeddings "$embeddings" --embedding-model m --collection Vectors
check 'vectors of another address of the same model' 0 '1 record: 1 indexed'

try sync-pipeline sync --stdin --collection Vectors <<<'test.py'
check 'two models never meet' 1 '\[conflict:low\]: .*holds vectors of `m'
exec 9>&-

ended=0
said=$(sync-pipeline sync --input ten --verbose --collection Closed | head -1) || ended=$?
check 'a reader that goes away' 0 '^line '

try sync-pipeline clean --older-than 0
check 'old runs are forgotten' 0 '^Forgot [0-9]+ runs?$'

try sync-pipeline sync --stdin --settings /dev/stdin <<<'[services.weaviate]
retrys = 3'
check 'a settings file with a mistake' 2 'retrys' 'retries'

try sync-pipeline sync --stdin --settings "$repository/examples/sync-pipeline/settings.toml" <<<'later.txt'
check 'the example of a settings file' 0 '1 record: '

try sync-pipeline sync
check 'a command that is none' 2 'required arguments'

echo "$passed checks"
