"""Train on one GPU for a given time, from a corpus that may still be growing.

    python train_gpu.py --data DIR --out run.pt --secs 480

DIR holds `tokenizer.json`, `known.npz`, `novel.npz` and one or more `train*.npz`; `stream.py` beside this file adds
more while the run goes on. New files are read as they come; while there are none, those already read are drawn again.
The clock runs from the start of the process, compiling included, and the learning rate falls linearly to zero at
`--secs`. `--out` gets the weights alone every `--save` seconds: in bfloat16 on the way, in float32 at the end.
"""

import argparse
import json
import queue
import threading
import time
from pathlib import Path

import numpy as np
import torch
import torch._dynamo
import torch.nn.functional as F

import ops
from config import preset
from dataset import Episodes
from evaluate import evaluate
from model import Model
from optimizer import Optimizer
from tokenizer import Tokenizer

BEGUN = time.time()
LOG_EVERY = 10.0


def parse() -> argparse.Namespace:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--data", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--preset", default="small")
    args.add_argument("--shape", type=json.loads, default={}, help='JSON of sizes to change, e.g. \'{"layers": 8}\'')
    args.add_argument("--secs", type=float, default=480)
    args.add_argument("--lr", type=float, default=4e-3)
    args.add_argument("--decay", type=float, default=0.05, help="weight decay of matrices")
    args.add_argument("--step-tokens", type=int, default=32768, help="padded tokens of a step at first")
    args.add_argument("--last-step-tokens", type=int, default=65536, help="and once a third of the time is gone")
    args.add_argument("--balance", type=float, default=0.01)
    args.add_argument("--evals", type=int, default=5, help="evaluations in the run, the last one at its end")
    args.add_argument("--save", type=float, default=60)
    args.add_argument("--device", default="cuda")
    args.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    return args.parse_args()


class Feed(threading.Thread):
    """Steps of episodes of similar lengths, in host memory that the GPU can copy from on its own."""

    def __init__(self, data: Path, step_tokens: int, chunk: int, pinned: bool):
        super().__init__(daemon=True)
        self.data, self.step_tokens, self.chunk, self.pinned = data, step_tokens, chunk, pinned
        self.rng, self.known, self.fresh = np.random.RandomState(1), {}, []
        self.ready: queue.Queue = queue.Queue(24)
        self.episodes = self.repeats = 0

    def run(self) -> None:
        while True:
            pool = [(part, rows) for part in (self.shard(), self.shard()) for rows in self.cut(part)]
            self.rng.shuffle(pool)
            for part, rows in pool:
                self.ready.put(self.batch(part, rows))

    def shard(self) -> Episodes:
        """One that was not used yet, if there is one."""
        while True:
            new = [path for path in sorted(self.data.glob("train*.npz")) if path not in self.known]
            if new:
                part = self.known[new[0]] = Episodes(new[0])
                self.episodes += len(part)
                return part
            if self.known:
                self.repeats += 1
                return self.known[sorted(self.known)[self.rng.randint(len(self.known))]]
            time.sleep(0.2)

    def cut(self, part: Episodes) -> list[np.ndarray]:
        order, out, start = np.argsort(-part.lengths, kind="stable"), [], 0
        while start < len(order):
            width = -(-(part.lengths[order[start]] - 1) // self.chunk) * self.chunk
            out.append(order[start : start + max(2, self.step_tokens // width)])
            start += len(out[-1])
        return out

    def batch(self, part: Episodes, rows: np.ndarray):
        x, y, m = (torch.from_numpy(array) for array in part.rows(rows, self.chunk))
        at = (m.view(-1) > 0).nonzero().squeeze(1)
        tensors = x, at, y.view(-1)[at]
        return tuple(t.pin_memory() for t in tensors) if self.pinned else tensors, int(part.lengths[rows].sum())


class Run:
    def __init__(self, a: argparse.Namespace):
        self.a = a
        tokenizer = Tokenizer.load(a.data / "tokenizer.json")
        self.c = preset(a.preset, vocab=len(tokenizer.tokens), **a.shape)
        torch.manual_seed(0)
        self.model = Model(self.c).to(a.device)
        torch._dynamo.config.recompile_limit = 64  # a few shapes are compiled on their own; past the limit nothing is fused
        self.model.use_gpu_forms(a.compile)
        ops.use_bf16(True)
        self.optimizer = Optimizer(self.model, True, a.decay)
        self.flat = torch.zeros(sum(p.numel() for p in self.model.parameters()), device=a.device)
        self.optimizer.assign(self.flat)
        self.directions = torch.zeros(self.optimizer.size, device=a.device)
        self.feed = Feed(a.data, a.step_tokens, self.c.chunk, a.device != "cpu")
        self.step = self.tokens = 0
        self.loss = torch.zeros((), device=a.device)
        self.share = torch.zeros((), device=a.device)

    def lr(self, seconds: float) -> float:
        return self.a.lr * min(1.0, (self.step + 1) / 100) * max(0.0, 1 - seconds / self.a.secs)

    def one_step(self, seconds: float) -> float:
        """Nothing here waits for the GPU."""
        tensors, tokens = self.feed.ready.get()
        x, at, y = (t.to(self.a.device, non_blocking=True) for t in tensors)
        self.flat.zero_()
        hidden, balance, self.share = self.model.trunk(x)
        loss = F.cross_entropy(self.model.logits(hidden.view(-1, self.c.hidden)[at]), y)
        (loss + self.a.balance * balance).backward()
        self.loss += loss.detach()
        self.tokens += tokens
        size = self.flat.norm()
        # One step that is not finite must not end the run: it is left out.
        clipped = torch.where(size.isfinite(), self.flat / size.clamp(min=1.0), 0.0)
        self.flat.copy_(clipped)
        self.optimizer.directions(self.directions, 0, 1)
        lr = self.lr(seconds)
        self.optimizer.step(lr, self.directions)
        self.step += 1
        return lr

    def save(self, last: bool) -> None:
        state = {name: value if last else value.bfloat16() for name, value in self.model.state_dict().items()}
        part = self.a.out.with_suffix(".part")
        torch.save(dict(model=state, config=self.c.to_dict(), step=self.step, tokens=self.tokens), part)
        part.replace(self.a.out)

    def held_out(self, seconds: float, last: bool) -> None:
        for name in ("known", "novel"):
            row = evaluate(self.model, Episodes(self.a.data / f"{name}.npz"), 200 if last else 100, rows=50)
            say(held=name, seconds=round(seconds), **row)

    def go(self) -> None:
        a, since = self.a, 0
        say(parameters=self.model.counts(), **self.c.to_dict())
        self.feed.start()
        logged, stored, evals, tokens = 0.0, 0.0, 1, 0
        while True:
            seconds = time.time() - BEGUN
            stop = seconds >= a.secs
            if seconds - logged > LOG_EVERY or stop:
                loss = self.loss.item() / max(1, self.step - since)
                now = time.time() - BEGUN
                say(step=self.step, seconds=round(now, 1), mtok=round(self.tokens / 1e6, 2), loss=round(loss, 4),
                    tok_s=int((self.tokens - tokens) / max(0.1, now - logged)), lr=round(self.lr(now), 6), share=round(self.share.item(), 3),
                    episodes=self.feed.episodes, repeats=self.feed.repeats, waiting=self.feed.ready.qsize())
                logged, since, tokens = now, self.step, self.tokens
                self.loss.zero_()
            if stop or seconds - stored > a.save:
                self.save(stop)
                stored = seconds
            if stop or seconds > a.secs * evals / a.evals:
                self.held_out(seconds, stop)
                evals += 1
            if stop:
                return
            if seconds > a.secs / 3:
                self.feed.step_tokens = a.last_step_tokens
            self.one_step(seconds)


def say(**row) -> None:
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    Run(parse()).go()
