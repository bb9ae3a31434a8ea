"""What PyTorch says after some held-out prompts, for llama.cpp to confirm.

    python golden.py run.pt --tokenizer tokenizer.json --corpus known.jsonl --out golden.json
    python export.py run.pt --tokenizer tokenizer.json --out golden.gguf --type f32
    npx tsx ../test/fixtures/models/compare-golden.ts golden.gguf golden.json

Distributions are compared, not only the most probable token: a wrong conversion can leave every greedy
token of a confident model as it was.
"""

import argparse
import json
from pathlib import Path

import torch

from config import Config
from dataset import render
from model import Model
from tokenizer import Tokenizer


MOST_TOKENS = 80


def load(checkpoint: Path) -> Model:
    saved = torch.load(checkpoint, map_location="cpu")
    model = Model(Config(**saved["config"]))
    model.load_state_dict(saved["model"])
    return model


@torch.no_grad()
def logits(model: Model, ids: list[int]) -> torch.Tensor:
    """[len(ids), vocab]; padding behind the text changes nothing before it."""
    width = -(-len(ids) // model.c.chunk) * model.c.chunk
    row = torch.zeros(1, width, dtype=torch.long)
    row[0, : len(ids)] = torch.tensor(ids)
    return model.logits(model.trunk(row)[0])[0, : len(ids)]


def continuation(model: Model, ids: list[int], end: int, most: int) -> list[int]:
    out: list[int] = []
    while len(out) < most:
        token = int(logits(model, ids + out)[-1].argmax())
        if token == end:
            break
        out.append(token)
    return out


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("checkpoint", type=Path)
    args.add_argument("--tokenizer", type=Path, required=True)
    args.add_argument("--corpus", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--count", type=int, default=8)
    a = args.parse_args()
    torch.set_num_threads(1)
    model, tokenizer, cases = load(a.checkpoint), Tokenizer.load(a.tokenizer), []
    with a.corpus.open() as lines:
        for number, line in zip(range(a.count), lines):
            episode = json.loads(line)
            turns = [i for i, message in enumerate(episode["messages"]) if message["role"] == "assistant"]
            before = turns[min(number % 4, len(turns) - 1)]
            text = "".join(t for t, _ in render(episode["messages"][:before], episode["tools"], generate=True))
            ids = tokenizer.encode(text)
            probabilities = logits(model, ids).softmax(-1)
            at = sorted({*range(0, len(ids), 17), len(ids) - 1})
            cases.append(dict(text=text, ids=ids, positions=at,
                              probabilities=[[round(p, 8) for p in probabilities[i].tolist()] for i in at],
                              greedy=continuation(model, ids, tokenizer.end, MOST_TOKENS)))
    a.out.write_text(json.dumps(dict(end=tokenizer.end, mostTokens=MOST_TOKENS, cases=cases)))
    print(f"{a.out}: {len(cases)} prompts, {sum(len(case['positions']) for case in cases)} positions")


if __name__ == "__main__":
    main()
