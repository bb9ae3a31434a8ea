#!/bin/sh
# Expert iteration in one command of eight minutes, from the supervised file: three rounds, each with the model of the one before.
#
#   sh gpu.sh ready      where there are npm and the history: makes out/rollouts.mjs and out/supervised.gguf (8 MB)
#   sh gpu.sh DIR        where the GPU is, with those two carried along: DIR gets 1, 2 and 3, and model.gguf of the last
#
# Without a GPU it runs as well, smaller. SECS=60 ends it after a minute and what the last steps take.
set -e
cd "$(dirname "$0")"
[ -n "$1" ] || { sed -n '2,8s/^# \{0,1\}//p' gpu.sh; exit 2; }
if [ "$1" = ready ]; then
  mkdir -p out
  npx --prefix .. esbuild rollouts.ts --bundle --platform=node --format=esm --log-level=warning --outfile=out/rollouts.mjs
  git show ceb8cf6~1:public/models/tabwright-micro.gguf > out/supervised.gguf
  exit
fi
model=out/supervised.gguf
for round in 1 2 3; do
  python3 expert_iteration.py play --model $model --out "$1/$round" --seed $round --rollouts "node out/rollouts.mjs" --secs $((${SECS:-470} / 5))
  cat "$1"/[1-$round]/lessons.jsonl > "$1/lessons.jsonl"
  python3 expert_iteration.py learn --model $model --out "$1/$round" --lessons "$1/lessons.jsonl" --bf16
  model=$1/$round/model.gguf
done
python3 average.py out/supervised.gguf $model --share 0.7 --out "$1/model.gguf"
