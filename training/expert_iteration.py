"""Expert iteration: the model plays, tests choose among its edits, and what they chose is learnt.

    python expert_iteration.py play  --model START.gguf --out out/round --secs 2400      # episodes, judged, into lessons.jsonl
    python expert_iteration.py learn --model START.gguf --out out/round --rate 1e-4      # from that file into model.gguf

A practice task is played once, greedily, and the tests judge up to `--tries` edits of the same state, as the page's tries do: the
likeliest answers, nearly, best first. Of episodes that hidden tests pass, what led there is learnt: edits found where the first
one was wrong, the lessons; and episodes that were right at once, as many as `--anchors` says for every lesson, so that what is
known is kept. Nothing is learnt from the others. So an expert, here the search with its judge, is imitated by the model that it
was made of, and a next round begins with a better one (Anthony et al. 2017, arXiv 1705.08439; ReST-EM, Singh et al. 2023,
arXiv 2312.06585). A try shares its beginning with what the model would have written: where they part, more for one is less for the other.

Playing and learning are apart: lessons are written as they come, `play` goes on where the file ends, and several ways to learn
may be tried on one file. `learn --resume` goes on from DIR/run.pt; DIR/log.jsonl tells how it went, for `curves.py`.
"""

import argparse
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

import ops
from checkpoint import load_gguf, Rounded
from environment import Episode, Player
from measure import arguments, open_player
from optimizer import Optimizer
from practice import KINDS
from reinforce import batches, export_rounded

MIX = "written=10,built=5,mutant=2,renamed=2,one=1"
LOG_EVERY = 30.0


def mix(text: str) -> dict[str, float]:
    """How often each kind is played, as a command line says it."""
    parts = dict(part.split("=") for part in text.split(","))
    if unknown := set(parts) - set(KINDS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: the kinds are {', '.join(KINDS)}")
    return {kind: float(weight) for kind, weight in parts.items()}


def parse() -> argparse.Namespace:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = args.add_subparsers(dest="command", required=True)
    play = commands.add_parser("play", help="episodes into DIR/lessons.jsonl")
    play.add_argument("--secs", type=float, default=2400)
    play.add_argument("--mix", type=mix, default=mix(MIX), help=f"how often each kind of practice is played, default {MIX}")
    play.add_argument("--tries", type=int, default=8, help="draws of an edit, which the tests judge")
    play.add_argument("--turns", type=int, default=5, help="turns an episode may have")
    play.add_argument("--tokens", type=int, default=1536, help="and tokens, prompts included")
    arguments(play)
    learn = commands.add_parser("learn", help="DIR/model.gguf from DIR/lessons.jsonl")
    learn.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    learn.add_argument("--lessons", type=Path, nargs="+", help="files to learn from (default: lessons.jsonl in --out)")
    learn.add_argument("--anchors", type=float, default=2.0, help="rows that were right at once for each that was found")
    learn.add_argument("--aside", type=int, default=10, help="every so many-th task is not learnt from: what the model makes of it is told as it learns")
    learn.add_argument("--examine", type=int, default=100, help="rows of those tasks that are looked at, lessons and others each")
    learn.add_argument("--examinations", type=int, default=8)
    learn.add_argument("--rows", type=int, default=32, help="rows a step")
    learn.add_argument("--epochs", type=float, default=2.0)
    learn.add_argument("--rate", type=float, default=2e-4, help="the learning rate, which rises over a tenth of the steps and falls to nothing")
    learn.add_argument("--ranks", type=int, default=os.cpu_count() or 1, help="processes on a CPU")
    learn.add_argument("--bf16", action="store_true", help="bfloat16 products on a CPU that has them; on a GPU always")
    learn.add_argument("--save", type=float, default=120, help="seconds between states to go on from")
    learn.add_argument("--resume", action="store_true")
    for command in (play, learn):
        command.add_argument("--model", type=Path, required=True, help="the GGUF to start from")
        command.add_argument("--out", type=Path, required=True, help="a folder")
        command.add_argument("--seed", type=int, default=1)
    return args.parse_args()


def order(seed: int, index: int, mix: dict[str, float]) -> dict:
    """Practice task `index` of a run: the same whichever others were played."""
    kind = random.Random(f"{seed}/{index}").choices(list(mix), list(mix.values()))[0]
    return dict(kind=kind, seed=seed, index=index, home=index)


def lesson(episode: Episode) -> dict:
    """What is kept of an episode: how it went and, if the hidden tests pass, the rows to learn from: `ids`, and spans of them that the model chose well."""
    done = episode.done or dict(solved=False, end="lost")
    out = {key: episode.order[key] for key in ("kind", "index")} | dict(solved=done["solved"], end=done["end"], rows=[])
    if not done["solved"]:
        return out
    out["found"], out["red"] = len(done["found"]), len(done["red"])
    bad = {1 + turn for key in ("dropped", "invalid", "vain", "red") for turn in done[key]}
    found = {1 + turn for turn in done["found"]}
    for segment in episode.segments:
        kinds = np.array(segment.kind)
        good = (kinds > 0) & ~np.isin(kinds, list(bad))
        if good.any():
            edges = np.flatnonzero(np.diff(np.concatenate([[0], good, [0]])))
            spans = edges.reshape(-1, 2).tolist()
            out["rows"].append(dict(ids=segment.ids[: spans[-1][1]], spans=spans, found=bool(np.isin(kinds, list(found)).any())))
    return out


def play(a: argparse.Namespace) -> None:
    begun = time.time()
    torch.set_num_threads(1)
    a.out.mkdir(parents=True, exist_ok=True)
    path = a.out / "lessons.jsonl"
    played = {row["index"] for row in map(json.loads, path.open())} if path.exists() else set()
    model, tokenizer = load_gguf(a.model)
    a.vocabulary, a.context = a.model, a.tokens
    player = open_player(model.to(a.device), tokenizer, a, None, draw=None)
    limits = {"context": a.tokens, "turn": 384, "steps": a.turns}
    index, count, logged = 0, Counter(), begun
    with path.open("a") as lines:
        while time.time() - begun < a.secs:
            while player.open < player.decoder.slots + 8:
                index += 1
                if index not in played:
                    player.add({**order(a.seed, index, a.mix), "tries": a.tries, "limits": limits})
            for episode in player.step():
                row = lesson(episode)
                lines.write(json.dumps(row) + "\n")
                lines.flush()
                count.update(played=1, solved=row["solved"], found=any(r["found"] for r in row["rows"]), later=bool(row.get("red")), lost=row["end"] == "lost")
            if time.time() - logged > LOG_EVERY:
                logged = time.time()
                print(json.dumps(dict(seconds=round(logged - begun), cpu=round(time.process_time()), **count, tokens=player.tokens)), flush=True)
    player.environment.close()


def parted(lessons: Sequence[dict]) -> tuple[list[dict], list[dict]]:
    """(rows with something that was found, rows of episodes that were right at once)."""
    found = [row for one in lessons for row in one["rows"] if row["found"]]
    return found, [row for one in lessons if not any(row["found"] for row in one["rows"]) for row in one["rows"]]


def choose(lessons: Sequence[dict], anchors: float, seed: int) -> list[dict]:
    """What was found, and so many rows that were right at once for each."""
    found, others = parted(lessons)
    random.Random(seed).shuffle(others)
    return found + others[: round(anchors * len(found))]


def steps(rows: Sequence[dict], size: int, epochs: float, seed: int) -> Iterator[list[dict]]:
    """The rows of each step; every row once an epoch."""
    dice, left = random.Random(seed), []
    for _ in range(round(epochs * len(rows) / size)):
        while len(left) < size:
            again = list(rows)
            dice.shuffle(again)
            left += again
        yield left[:size]
        del left[:size]


class Learner:
    """Steps of a model that acts rounded. With `ranks` the gradient comes from that many processes of one thread."""

    def __init__(self, model, device: str, is_bf16: bool, ranks: int = 1):
        self.model, self.device, self.is_bf16, self.ranks = model, device, is_bf16, ranks
        self.batch_tokens = 32768 if device == "cuda" else 2048
        if ranks > 1:
            model.share_memory()
        self.rounded = Rounded(model, spread=True)
        self.optimizer = Optimizer(model, False, 0.0)
        size = sum(p.numel() for p in model.parameters())
        self.sums = torch.zeros(ranks, size + 1, device=device)  # of each rank the gradient, and behind it the loss
        if ranks > 1:
            self.sums.share_memory_()
            context = mp.get_context("fork")  # before anything has run backwards: a copy of a thread pool would hang
            self.tasks, self.met = context.SimpleQueue(), context.Barrier(ranks + 1)
            self.helpers = [context.Process(target=self._help, args=(rank,), daemon=True) for rank in range(ranks)]
            for helper in self.helpers:
                helper.start()
        self.optimizer.assign(self.sums[0, :-1])

    def _help(self, rank: int) -> None:
        torch.set_num_threads(1)
        ops.use_bf16(self.is_bf16)
        self.optimizer.assign(self.sums[rank, :-1])
        while True:
            while task := self.tasks.get():
                self.sums[rank, -1] += self._backward(*task)
            self.met.wait()

    def learn(self, rows: Sequence[dict], rate: float) -> dict:
        """One step; the loss is the mean over all tokens that were chosen well."""
        count = sum(end - start for row in rows for start, end in row["spans"])
        parts = batches([(row["ids"], row["spans"]) for row in rows], self.model.c.chunk, self.batch_tokens)
        self.sums.zero_()
        if self.ranks > 1:
            for task in [*((part, count) for part in parts), *[None] * self.ranks]:
                self.tasks.put(task)
            self.met.wait()
            self.sums[0] += self.sums[1:].sum(0)
        else:
            ops.use_bf16(self.is_bf16)
            for part in parts:
                self.sums[0, -1] += self._backward(part, count)
            ops.use_bf16(False)
        gradient, loss = self.sums[0, :-1], self.sums[0, -1].item()
        size = gradient.norm()
        gradient.copy_(torch.where(size.isfinite(), gradient / size.clamp(min=1.0), 0.0))
        self.rounded.lift()
        self.optimizer.step(rate, self.sums[0, :0])
        self.rounded.settle()
        return dict(loss=loss, gradient=size.item(), tokens=count)

    @torch.no_grad()
    def examine(self, rows: Sequence[dict]) -> dict:
        """The loss, and how many rows the model would write as they are."""
        loss, alike, count = 0.0, 0, 0
        for batch in batches([(row["ids"], row["spans"]) for row in rows], self.model.c.chunk, self.batch_tokens):
            logits, y, row = self._chosen(batch)
            loss += F.cross_entropy(logits, y, reduction="sum").item()
            count += len(y)
            alike += len(batch) - len(row[logits.argmax(-1) != y].unique())
        return dict(rows=len(rows), loss=round(loss / max(1, count), 5), alike=alike)

    def _backward(self, batch: list[tuple], count: int) -> float:
        """Adds to the gradient; the loss of these rows' share of the tokens."""
        logits, y, _ = self._chosen(batch)
        loss = F.cross_entropy(logits, y, reduction="sum") / count
        loss.backward()
        return loss.item()

    def _chosen(self, batch: list[tuple]):
        """Of every token that was chosen well: the logits, the token, its row."""
        chunk = self.model.c.chunk
        width = -(-max(len(ids) for ids, _ in batch) // chunk) * chunk
        x, y = torch.zeros(2, len(batch), width, dtype=torch.long)
        at = torch.zeros(len(batch), width, dtype=torch.bool)
        for r, (ids, spans) in enumerate(batch):
            ids = torch.tensor(ids)
            x[r, : len(ids) - 1], y[r, : len(ids) - 1] = ids[:-1], ids[1:]
            for start, end in spans:
                at[r, start - 1 : end - 1] = True
        at = at.view(-1).nonzero().squeeze(1).to(self.device)
        hidden = self.model.trunk(x.to(self.device))[0].view(-1, self.model.c.hidden)[at]
        return self.model.logits(hidden), y.view(-1).to(self.device)[at], at // width

    def state(self) -> dict:
        return dict(fine=self.rounded.fine, optimizer=self.optimizer.state())

    def restore(self, state: dict) -> None:
        self.rounded.fine = state["fine"]
        self.rounded.apply()
        self.optimizer.restore(state["optimizer"])


def learn(a: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    lessons = [json.loads(line) for path in a.lessons or [a.out / "lessons.jsonl"] for line in path.open()]
    rows = choose([one for one in lessons if one["index"] % a.aside], a.anchors, a.seed)
    aside = parted([one for one in lessons if one["index"] % a.aside == 0])
    model, tokenizer = load_gguf(a.model)
    model.to(a.device)
    if a.device == "cuda":
        model.use_gpu_forms(False)
    learner, done, state = Learner(model, a.device, a.bf16 or a.device == "cuda", 1 if a.device == "cuda" else a.ranks), 0, a.out / "run.pt"
    if a.resume:
        known = torch.load(state, map_location=a.device)
        learner.restore(known)
        done = known["step"]
    plan = list(steps(rows, a.rows, a.epochs, a.seed))
    log = (a.out / "log.jsonl").open("a" if a.resume else "w")
    begun = saved = logged = time.time()

    def say(**row) -> None:
        line = json.dumps(dict(row, seconds=round(time.time() - begun, 1)))
        for out in (None, log):
            print(line, file=out, flush=True)

    def examine(step: int) -> None:
        say(examined=step, of=len(plan), **{name: learner.examine(part[: a.examine]) for name, part in zip(("lessons", "others"), aside)})

    say(found=sum(row["found"] for row in rows), rows=len(rows), steps=len(plan), rate=a.rate, resumed=done)
    if done == 0:
        examine(0)
    window = []
    for step, chosen in enumerate(plan[done:], done + 1):
        rate = a.rate * min(10 * step / len(plan), (len(plan) - step + 1) / (0.9 * len(plan)), 1.0)
        window.append(learner.learn(chosen, rate))
        is_last = step == len(plan)
        if time.time() - logged > LOG_EVERY or is_last:
            logged = time.time()
            mean = lambda key: round(sum(one[key] for one in window) / len(window), 5)
            say(step=step, loss=mean("loss"), gradient=mean("gradient"), tokens=sum(one["tokens"] for one in window))
            window = []
        if is_last or step * a.examinations // len(plan) > (step - 1) * a.examinations // len(plan):
            examine(step)
        if time.time() - saved > a.save or is_last:
            saved = time.time()
            torch.save(dict(learner.state(), step=step), state.with_suffix(".part"))
            state.with_suffix(".part").replace(state)
    export_rounded(model, tokenizer, a.out / "model.gguf")


if __name__ == "__main__":
    a = parse()
    play(a) if a.command == "play" else learn(a)
