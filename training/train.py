"""Train a model on CPU cores for a given time (`train_gpu.py` is for a GPU).

    python train.py --data DIR --out run.pt --secs 3600

DIR holds `tokenizer.json`, `train.npz`, `known.npz` and `novel.npz` (see `dataset.py`). The learning rate
warms up over 100 steps and falls linearly to zero at `--secs`, whatever the machine managed by then.
Every `--save` seconds everything goes to `--out`; `--resume` goes on from there. CPU ranks are processes
of one thread that sum gradients in shared memory and take micro-batches from one counter, so that a core
someone else is using does not halve the speed.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

import ops
from config import preset
from dataset import Episodes
from evaluate import evaluate
from model import Model
from optimizer import Optimizer
from tokenizer import Tokenizer


def parse() -> argparse.Namespace:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--data", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--preset", default="micro")
    args.add_argument("--shape", type=json.loads, default={}, help='JSON of sizes to change, e.g. \'{"layers": 6}\'')
    args.add_argument("--secs", type=float, default=3600)
    args.add_argument("--lr", type=float, default=4e-3)
    args.add_argument("--decay", type=float, default=0.05, help="weight decay of matrices")
    args.add_argument("--muon", action=argparse.BooleanOptionalAction, default=True)
    args.add_argument("--step-tokens", type=int, default=8192)
    args.add_argument("--micro-tokens", type=int, default=2048, help="padded tokens of one micro-batch")
    args.add_argument("--balance", type=float, default=0.01)
    args.add_argument("--eval", type=float, default=300, help="seconds between evaluations")
    args.add_argument("--save", type=float, default=120)
    args.add_argument("--resume", action="store_true")
    args.add_argument("--ranks", type=int, default=0, help="processes; 0 = one a core")
    args.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    args.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    a = args.parse_args()
    a.ranks = a.ranks or os.cpu_count() or 1
    return a


class Batches:
    """Endless steps: lists of micro-batches of similar lengths, the same on every rank."""

    def __init__(self, data: Episodes, step_tokens: int, micro_tokens: int, chunk: int, seed: int):
        self.data, self.chunk, self.micro = data, chunk, micro_tokens
        self.per_step = max(1, round(step_tokens / micro_tokens))
        self.rng, self.pool, self.order = np.random.RandomState(seed), [], np.array([], np.int64)

    def step(self) -> list[np.ndarray]:
        while len(self.pool) < self.per_step:
            self.refill()
        return [self.pool.pop() for _ in range(self.per_step)]

    def refill(self) -> None:
        if len(self.order) < 512:
            self.order = np.concatenate([self.order, self.rng.permutation(len(self.data))])
        window, self.order = self.order[:512], self.order[512:]
        window = window[np.argsort(-self.data.lengths[window], kind="stable")]
        start, fresh = 0, []
        while start < len(window):
            width = -(-(self.data.lengths[window[start]] - 1) // self.chunk) * self.chunk
            rows = max(2, self.micro // width)
            fresh.append(window[start : start + rows])
            start += rows
        fresh = [rows for rows in fresh if len(rows) > 1]  # a batch of one would be compiled anew
        self.rng.shuffle(fresh)
        self.pool = fresh + self.pool


def worker(rank: int, a, grads, directions, stats, barrier, counter) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    tokenizer = Tokenizer.load(a.data / "tokenizer.json")
    saved = torch.load(a.out, map_location="cpu") if a.resume else None
    c = preset(a.preset, vocab=len(tokenizer.tokens), **a.shape)
    model = Model(c)
    optimizer = Optimizer(model, a.muon, a.decay)
    step = tokens = 0
    before = 0.0
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.restore(saved["optimizer"])
        step, tokens, before = saved["step"], saved["tokens"], saved["seconds"]
    ops.use_bf16(a.bf16)
    if a.compile:
        model.compile()
    data = Episodes(a.data / "train.npz")
    batches = Batches(data, a.step_tokens, a.micro_tokens, c.chunk, seed=1 + step)
    say = (lambda **row: print(json.dumps(row), flush=True)) if rank == 0 else (lambda **row: None)
    say(parameters=model.counts(), episodes=len(data), **c.to_dict())
    params = list(model.parameters())
    first, done, loss_sum, logged, evaluated, stored = step, 0, 0.0, 0.0, 0.0, 0.0
    paused, begin = 0.0, None
    while True:
        batch = batches.step()
        norm = float(sum(data.targets[rows].sum() for rows in batch))
        for p in params:
            p.grad = None
        loss = torch.zeros(())
        while True:
            with counter.get_lock():
                taken = counter.value
                if taken >= (done + 1) * len(batch):
                    break
                counter.value = taken + 1
            loss += micro_batch(model, data, batch[taken - done * len(batch)], norm, a, len(batch))
        mine = grads[rank]
        if params[0].grad is None:
            mine.zero_()
        else:
            torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in params], out=mine)
        stats[rank] = loss
        if begin is None:  # the clock starts after the first step, which may have compiled
            barrier.wait()
            begin = time.time()
        if rank == 0:
            stats[-1] = before + time.time() - begin - paused
        barrier.wait()
        seconds, loss = stats[-1].item(), stats[: a.ranks].sum().item()
        flat = grads.sum(0)
        barrier.wait()
        size = flat.norm().item()
        flat.mul_(min(1.0, 1.0 / (size + 1e-6)))
        optimizer.assign(flat)
        lr = a.lr * min(1.0, (step + 1) / 100) * max(0.0, 1 - seconds / a.secs)
        if optimizer.size:
            optimizer.directions(directions, rank, a.ranks)
            barrier.wait()
        optimizer.step(lr, directions)
        step, done = step + 1, done + 1
        tokens += int(sum(data.lengths[rows].sum() for rows in batch))
        loss_sum += loss
        stop = seconds >= a.secs
        if seconds - logged > 20 or stop:
            say(step=step, seconds=round(seconds), mtok=round(tokens / 1e6, 2), tok_s=int(tokens / max(seconds, 1)),
                loss=round(loss_sum / max(1, step - first), 4), lr=round(lr, 6), grad=round(size, 2),
                share=round(worker.share, 3))
            logged, loss_sum, first = seconds, 0.0, step
        if seconds - evaluated > a.eval or stop:
            pause = time.time()
            name = ("known", "novel")[rank % 2]
            for name in ("known", "novel") if a.ranks == 1 else (name,) if rank < 2 else ():
                row = evaluate(model, Episodes(a.data / f"{name}.npz"), 200 if stop else 100)
                print(json.dumps({"held": name, "seconds": round(seconds), **row}), flush=True)
            barrier.wait()
            evaluated = seconds
            paused += time.time() - pause
        if rank == 0 and (seconds - stored > a.save or stop):
            part = a.out.with_suffix(".part")
            torch.save(dict(model=model.state_dict(), optimizer=optimizer.state(), config=c.to_dict(),
                            step=step, tokens=tokens, seconds=seconds), part)
            part.replace(a.out)
            stored = seconds
        if stop:
            return


worker.share = 0.0


def micro_batch(model, data, rows, norm, a, parts) -> torch.Tensor:
    """Add the gradient of some episodes; returns their share of the loss."""
    x, y, m = (torch.from_numpy(part) for part in data.rows(rows, model.c.chunk))
    at = (m.view(-1) > 0).nonzero().squeeze(1)
    hidden, balance, share = model.trunk(x)
    logits = model.logits(hidden.view(-1, model.c.hidden)[at])
    loss = F.cross_entropy(logits, y.view(-1)[at], reduction="sum") / norm
    (loss + a.balance / parts * balance).backward()
    worker.share = share.item()
    return loss.detach()


def main() -> None:
    a = parse()
    c = preset(a.preset, vocab=len(Tokenizer.load(a.data / "tokenizer.json").tokens), **a.shape)
    model = Model(c)
    size, inner = sum(p.numel() for p in model.parameters()), Optimizer(model, a.muon, 0.0).size
    grads, directions = torch.zeros(a.ranks, size), torch.zeros(max(1, inner))
    stats = torch.zeros(a.ranks + 1, dtype=torch.float64).share_memory_()
    context = mp.get_context("spawn")
    shared = (grads, directions, stats, context.Barrier(a.ranks), context.Value("q", 0))
    if a.ranks == 1:
        return worker(0, a, *shared)
    grads.share_memory_(), directions.share_memory_()
    ranks = [context.Process(target=worker, args=(rank, a, *shared)) for rank in range(a.ranks)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join()
    if any(process.exitcode for process in ranks):
        raise SystemExit("a rank failed; see its message above, then go on with --resume")


if __name__ == "__main__":
    main()
