#!/bin/sh
# Reinforcement on a GPU in one command of eight minutes, from the supervised file.
#
#   sh gpu.sh ready      where there are npm and the history: makes out/rollouts.mjs and out/supervised.gguf (8 MB)
#   sh gpu.sh DIR        where the GPU is, with those two carried along: DIR gets model.gguf, run.pt and log.jsonl
#
# Without a GPU it runs as well, smaller. SECS=60 ends it after a minute.
set -e
cd "$(dirname "$0")"
[ -n "$1" ] || { sed -n '2,8s/^# \{0,1\}//p' gpu.sh; exit 2; }
if [ "$1" = ready ]; then
  mkdir -p out
  npx --prefix .. esbuild rollouts.ts --bundle --platform=node --format=esm --log-level=warning --outfile=out/rollouts.mjs
  git show ceb8cf6~1:public/models/tabwright-micro.gguf > out/supervised.gguf
  exit
fi
exec python3 reinforce.py --model out/supervised.gguf --out "$1" --rollouts "node out/rollouts.mjs" --secs "${SECS:-470}" \
  --kinds built,renamed,one --temperature 2 --least 0.003 --arms 3e-4 --decay 0.4 --tasks 16 --turns 8
