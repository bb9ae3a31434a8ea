"""Episodes to token ids with a loss mask.

    python dataset.py CORPUS.jsonl --tokenizer tokenizer.json --out train.npz

A line of the corpus is `{id, kind, family, tools, messages: [{role, content, skip?}]}`. The text is what
`template.jinja` renders (a test compares the two) and is tokenised as a whole, as the app does, so
that pieces which cross the seams come out the same. Mask: 0 prompt, 1 the model's own words and the
`<|im_end|>` after them, 2 the same inside a turn that edits. A turn marked `skip`, or that a later tool
result shows to be a mistake, is prompt: the model learns to recover, not to err.
"""

import argparse
import json
import os
import re
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from tokenizer import Tokenizer

OPEN, CLOSE = "<|im_start|>", "<|im_end|>"
FAIL = re.compile(r"^FAIL .*$", re.M)


def render(messages: list[dict], tools: bool, generate: bool = False) -> list[tuple[str, int | None]]:
    """Pieces of the rendered text, each with the index of the message it comes from if the model wrote it."""
    out: list[tuple[str, int | None]] = []
    if tools:
        out.append((f"{OPEN}system\nagent{CLOSE}\n", None))
    for i, message in enumerate(messages):
        role, content = message["role"], message["content"]
        if role == "tool":
            first = i == 0 or messages[i - 1]["role"] != "tool"
            last = i + 1 == len(messages) or messages[i + 1]["role"] != "tool"
            out.append((f"{OPEN}user\n" * first + f"<tool_response>\n{content}\n</tool_response>\n"
                        + f"{CLOSE}\n" * last, None))
        elif role == "assistant":
            out += [(f"{OPEN}assistant\n", None), (content + CLOSE, i), ("\n", None)]
        elif role == "user":
            out.append((f"{OPEN}user\n{content}{CLOSE}\n", None))
    if generate:
        out.append((f"{OPEN}assistant\n", None))
    return out


def taken_back(messages: list[dict]) -> set[int]:
    """Indices of assistant turns that a later tool result shows to be mistakes."""
    wrong, last_edit, red = set(), None, None
    for i, message in enumerate(messages):
        content = message["content"]
        if message["role"] == "assistant" and is_edit(content):
            last_edit = i
        if message.get("skip"):
            wrong.add(i)
        if message["role"] != "tool":
            continue
        if last_edit == i - 1 and content.startswith(("old_string was not found", "Error", "error")):
            wrong.add(i - 1)
        failure = FAIL.search(content)
        if content.startswith("exit code"):
            if failure and failure.group() == red and last_edit is not None:
                wrong.add(last_edit)
            red, last_edit = failure and failure.group(), None
    return wrong


def is_edit(content: str) -> bool:
    return "<function=edit>" in content or "<function=write_file>" in content


def encode(tokenizer: Tokenizer, episode: dict) -> tuple[list[int], list[int]]:
    """Ids and mask of one episode."""
    messages = episode["messages"]
    wrong = taken_back(messages)
    ids: list[int] = []
    mask: list[int] = []
    pending = ""
    for text, index in render(messages, episode["tools"]):
        if index is None:
            pending += text
            continue
        # The header ends in a newline that a word of the reply may only join if it is white space.
        if text[:1].isspace():
            raise ValueError(f"{episode['id']}: an assistant turn starts with white space")
        head, tail = tokenizer.encode(pending), tokenizer.encode(text)
        kind = 0 if index in wrong else 2 if is_edit(messages[index]["content"]) else 1
        ids += head + tail
        mask += [0] * len(head) + [kind] * len(tail)
        pending = ""
    return ids, mask


_tokenizer: Tokenizer


def _start(path):
    global _tokenizer
    _tokenizer = Tokenizer.load(path)


def _encode_line(line: str):
    ids, mask = encode(_tokenizer, json.loads(line))
    return np.array(ids, np.uint16), np.array(mask, np.uint8)


def build(corpus: Path, tokenizer: Path, out: Path, longest: int, procs: int) -> None:
    with corpus.open() as lines, Pool(procs, _start, (tokenizer,)) as pool:
        rows = list(pool.imap(_encode_line, lines, chunksize=256))
    kept = [(ids, mask) for ids, mask in rows if len(ids) <= longest and mask.any()]
    lengths = np.array([len(ids) for ids, _ in kept])
    ids, mask = (np.concatenate(column) for column in zip(*kept))
    np.savez(out, ids=ids, mask=mask, offsets=np.concatenate([[0], lengths.cumsum()]))
    p50, p95 = np.percentile(lengths, [50, 95])
    seen = np.bincount(ids, minlength=len(Tokenizer.load(tokenizer).tokens))
    print(f"{out}: {len(kept)} episodes ({len(rows) - len(kept)} dropped), {len(ids) / 1e6:.1f} M tokens, "
          f"length p50 {p50:.0f} p95 {p95:.0f} max {lengths.max()}, targets {(mask > 0).mean():.1%}, "
          f"ids never seen {(seen == 0).sum()}", flush=True)


class Episodes:
    """A built file in memory. `rows` pads some episodes to a multiple of the chunk."""

    def __init__(self, path: Path):
        data = np.load(path)
        self.ids, self.mask, self.offsets = data["ids"], data["mask"], data["offsets"]
        self.lengths = np.diff(self.offsets)
        self.targets = np.add.reduceat((self.mask > 0).astype(np.int64), self.offsets[:-1])

    def __len__(self) -> int:
        return len(self.lengths)

    def rows(self, indices, chunk: int):
        """(input ids, next ids, mask of the next ids), each [len(indices), t]."""
        longest = int(max(self.lengths[i] for i in indices)) - 1
        shape = len(indices), -(-longest // chunk) * chunk
        x, y, m = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.uint8)
        for r, i in enumerate(indices):
            a, b = self.offsets[i], self.offsets[i + 1]
            n = b - a - 1
            x[r, :n], y[r, :n], m[r, :n] = self.ids[a : b - 1], self.ids[a + 1 : b], self.mask[a + 1 : b]
        return x, y, m


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("corpus", type=Path)
    args.add_argument("--tokenizer", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--longest", type=int, default=1024, help="drop episodes with more tokens")
    args.add_argument("--procs", type=int, default=os.cpu_count() or 1)
    a = args.parse_args()
    build(a.corpus, a.tokenizer, a.out, a.longest, a.procs)


if __name__ == "__main__":
    main()
