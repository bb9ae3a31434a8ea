#!/usr/bin/env bash
# The bundled model from nothing: environment, corpus, tokenizer, training, export, checks. See README.md.
# SECS (3250) of training; EPISODES (120000) in the corpus; TORCH_FLAGS are handed to train.py.
set -euo pipefail
cd "$(dirname "$0")"
secs=${SECS:-3250}
episodes=${EPISODES:-120000}
out=$PWD/out
model=$PWD/../public/models/tabwright-micro.gguf
mkdir -p "$out"

[ -x "$out/venv/bin/python" ] || python3 -m venv "$out/venv"
"$out/venv/bin/pip" install --quiet -r requirements.txt
python=$out/venv/bin/python
"$python" test_training.py

synthesise() { npm --prefix .. run --silent synthesise -- "$@"; }
if [ ! -s "$out/train.jsonl" ]; then
  cores=$(nproc)
  for ((k = 0; k < cores; k++)); do
    synthesise --out "$out/part.$k.jsonl" --count "$episodes" --seed 1 --shard "$k/$cores" --mine-words &
  done
  wait
  cat "$out"/part.*.jsonl > "$out/train.jsonl"
  rm "$out"/part.*.jsonl
fi
for set in known novel; do
  [ -s "$out/$set.jsonl" ] || (cd .. && npx tsx training/held-out-episodes.ts "$set" 200 "$out/$set.jsonl")
done

"$python" tokenizer.py "$out/train.jsonl" --out "$out/tokenizer.json"
for set in train known novel; do
  "$python" dataset.py "$out/$set.jsonl" --tokenizer "$out/tokenizer.json" --out "$out/$set.npz"
done
"$python" train.py --data "$out" --out "$out/run.pt" --secs "$secs" ${TORCH_FLAGS:-} | tee "$out/train.log"

"$python" export.py "$out/run.pt" --tokenizer "$out/tokenizer.json" --out "$model" --list
"$python" export.py "$out/run.pt" --tokenizer "$out/tokenizer.json" --out "$out/golden.gguf" --type f32
"$python" golden.py "$out/run.pt" --tokenizer "$out/tokenizer.json" --corpus "$out/known.jsonl" --out "$out/golden.json"
cd ..
npx tsx test/fixtures/models/compare-golden.ts "$out/golden.gguf" "$out/golden.json"
npx tsx test/fixtures/models/record-bundled.ts "$model"
