"""Make a corpus in files of some thousand episodes, as many processes at once as there are cores to spare.

    python stream.py --tokenizer tokenizer.json --out DIR --first-seed 1000 --procs 14 --secs 400

Each file is `npm run synthesise` with a seed of its own, so that a run on a GPU can read them while more are made,
and any of them can be made again. Stops starting new ones after `--secs`, or after `--files`.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
SYNTHESISE = f"npx --prefix {HERE.parent} tsx {HERE.parent / 'src/cli/synthesise.ts'}"


def make(a: argparse.Namespace, seed: int) -> None:
    corpus, part = a.out / f"{seed}.jsonl", a.out / f"{seed}.part.npz"
    options = ["--words", str(a.words)] if a.words else ["--mine-words"]
    command = [*shlex.split(a.synthesise), "--out", str(corpus), "--count", str(a.count), "--seed", str(seed), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    encode = [sys.executable, str(HERE / "dataset.py"), str(corpus), "--tokenizer", str(a.tokenizer), "--out", str(part), "--procs", "1"]
    subprocess.run(encode, check=True, stdout=subprocess.DEVNULL)
    corpus.unlink()
    part.rename(a.out / f"train.{seed}.npz")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--tokenizer", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--first-seed", type=int, default=1000)
    args.add_argument("--count", type=int, default=4000, help="episodes a file")
    args.add_argument("--files", type=int, default=100_000)
    args.add_argument("--secs", type=float, default=1e9)
    args.add_argument("--procs", type=int, default=max(1, (os.cpu_count() or 1) - 2))
    args.add_argument("--words", type=Path, help="a list of words for names, in place of those mined from node_modules")
    args.add_argument("--synthesise", default=SYNTHESISE, help="the command, where it is not run from this repository")
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    end = time.time() + a.secs

    def guarded(seed: int) -> None:
        if time.time() < end:
            make(a, seed)

    with ThreadPoolExecutor(a.procs) as pool:
        for _ in pool.map(guarded, range(a.first_seed, a.first_seed + a.files)):
            pass


if __name__ == "__main__":
    main()
