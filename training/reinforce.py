"""Reinforcement on-policy: the model plays practice tasks in the real agent loop, and hidden tests say 0 or 1.

    python reinforce.py --model ../public/models/tabwright-micro.gguf --out out/rl --secs 3600            # two cores
    python reinforce.py --model ... --out out/rl --secs 480 --frozen out/frozen.jsonl                     # one GPU

Every task is played `--group` times, its tokens drawn as `--temperature` and `--least` say. A rollout's advantage is its
reward less the group's mean, not divided by the deviation, which would favour tasks that are nearly always or never solved
(Liu et al. 2025, arXiv 2503.20783); groups all alike teach nothing and are dropped (Yu et al. 2025, DAPO, arXiv 2503.14476),
after `--look` rollouts already, and what is played next is what was divided before (`practice.py`). From the same paper the wider upper clip and the mean over all tokens come as well. A rollout that does not end by itself is worth
`--unfinished` less; the tokens of a call that cannot be read, and only they, have `--invalid` taken off (Qwen3-Coder-Next,
arXiv 2603.00729). Rollouts go on while the weights change beneath them (PipelineRL, arXiv 2509.19128): the clipped ratio
is to the probability each token was drawn with.

`--arms` tries several learning rates for `--arm-secs` each from the same start and goes on with the one whose rollouts
came to earn most. `--resume` goes on from DIR/run.pt. DIR gets model.gguf every `--save` seconds and log.jsonl.
"""

import argparse
import copy
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import export
import gguf
import ops
from checkpoint import load_gguf, Rounded
from decode import Choice, explore
from environment import Environment, Episode, Player
from measure import arguments, count_tasks, open_player, recorded, solve, summary
from optimizer import Optimizer
from practice import Group, kinds, KINDS, Practice

BEGUN = time.time()
LOG_EVERY = 10.0 if torch.cuda.is_available() else 30.0
NEVER = 1e9


def parse() -> argparse.Namespace:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("--model", type=Path, required=True, help="the GGUF to start from")
    args.add_argument("--out", type=Path, required=True, help="a folder")
    args.add_argument("--secs", type=float, default=480, help="from the start of the process, evaluation included")
    args.add_argument("--steps", type=int, default=1_000_000)
    args.add_argument("--arms", type=lambda text: [float(rate) for rate in text.split(",")], help="learning rates (default: 1e-4; with --resume: the one it had)")
    args.add_argument("--warm", type=int, default=10 if torch.cuda.is_available() else 3, help="steps in which the rate rises")
    args.add_argument("--arm-secs", type=float, default=60)
    args.add_argument("--decay", type=float, default=0.5, help="the last part of the run, in which the rate falls; 0: it does not, for a run that is to be resumed")
    args.add_argument("--muon", action=argparse.BooleanOptionalAction, default=False)
    args.add_argument("--tasks", type=int, default=32 if torch.cuda.is_available() else 8, help="groups a step that teach something")
    args.add_argument("--group", type=int, default=8, help="rollouts a task")
    args.add_argument("--look", type=int, default=4, help="rollouts after which a group ends if they agree")
    args.add_argument("--kinds", type=kinds, default=KINDS, help="what is practised, all by default: " + ",".join(KINDS))
    args.add_argument("--rows", type=int, default=8 if torch.cuda.is_available() else 4, help="rollouts of a group that are learnt from, half of them solved where there are enough; the others' weight is theirs")
    args.add_argument("--unfinished", type=float, default=0.2)
    args.add_argument("--invalid", type=float, default=0.5)
    args.add_argument("--vain", type=float, default=0.0, help="taken off the tokens of an edit that changes nothing, or makes again what an earlier one made")
    args.add_argument("--bf16", action="store_true", help="bfloat16 products in the steps on a CPU that has them: a step costs two thirds or less; on a GPU always")
    args.add_argument("--clip", type=float, nargs=2, default=(0.2, 0.28), help="how far the ratio may go below and above 1")
    args.add_argument("--temperature", type=float, default=1.0, help="of rollouts, and of what is learnt: a model that is sure of itself seldom divides a group")
    args.add_argument("--least", type=float, default=0.0, help="tokens less probable than this share of the most probable one are not drawn")
    args.add_argument("--turns", type=int, default=16, help="turns a rollout may have")
    args.add_argument("--rollout-tokens", type=int, default=1536, help="and tokens, prompts included")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--frozen", type=Path, help="tasks to evaluate on at the start, every --evaluate seconds and at the end")
    args.add_argument("--evaluate", type=float, default=75)
    args.add_argument("--evaluate-secs", type=float, default=45, help="what an evaluation may take")
    args.add_argument("--eval-slots", type=int, default=1024 if torch.cuda.is_available() else 48)
    args.add_argument("--save", type=float, default=50)
    args.add_argument("--state", type=Path, help="where all of it is kept, to go on from (default: run.pt in --out)")
    args.add_argument("--resume", action="store_true", help="go on from --state")
    args.add_argument("--threads", type=int, default=1)
    arguments(args)
    return args.parse_args()


def reward(episode: Episode, unfinished: float) -> float:
    return float(episode.done["solved"]) - unfinished * (not episode.done["finished"])


def batches(rows: list[tuple], chunk: int, most: int):
    """Rows, whose first part is their ids, by length: so many together that they are `most` tokens, padded to whole chunks."""
    batch: list[tuple] = []
    for row in sorted(rows, key=lambda row: len(row[0])):
        width = -(-len(row[0]) // chunk) * chunk
        if batch and width * (len(batch) + 1) > most:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def export_rounded(model, tokenizer, path: Path) -> None:
    """What acts, as a file for the page."""
    state = {key: value.float().cpu().numpy() for key, value in model.state_dict().items()}
    rows = [(n, v, gguf.Q8_0 if may and v.shape[-1] % 32 == 0 else gguf.F32) for n, v, may in export.tensors(state, model.c)]
    part = path.with_suffix(".part")
    gguf.write(part, export.metadata(model.c, tokenizer, export.NAME), rows)
    part.replace(path)


class Arm:
    """A model on its way with one learning rate."""

    def __init__(self, run: "Run", model, lr: float):
        self.run, self.model, self.lr = run, model, lr
        self.rounded = Rounded(model, spread=True)
        self.optimizer = Optimizer(model, run.a.muon, 0.0)
        self.flat = torch.zeros(sum(p.numel() for p in model.parameters()), device=run.a.device)
        self.optimizer.assign(self.flat)
        self.directions = torch.zeros(self.optimizer.size, device=run.a.device)
        self.step, self.rollouts = 0, 0
        self.batch_tokens = 32768 if run.a.device == "cuda" else 2048  # padded; halved where memory does not do
        self.earned: list[tuple[str, float]] = []  # kind and reward of every rollout

    def lately(self) -> float:
        """The mean reward of the last third, every kind alike: what is drawn shifts towards what is hard."""
        kinds: dict[str, list[float]] = defaultdict(list)
        for kind, value in self.earned[-max(1, len(self.earned) // 3) :]:
            kinds[kind].append(value)
        return sum(sum(values) / len(values) for values in kinds.values()) / max(1, len(kinds))

    def learn(self, groups: list[list[Episode]], lr: float) -> dict:
        a = self.run.a
        rows = []
        for group in groups:
            for episode, advantage in self.advantages(group):
                rows += self.rows(episode, advantage)
        stats = dict(rows=len(rows))
        if not rows:
            return stats
        count = sum(int((weight != 0).sum()) for *_, weight in rows)
        sums = None
        ops.use_bf16(a.bf16 or a.device == "cuda")  # not where tokens are drawn on a CPU: those are float32, as in the page
        while sums is None:
            self.flat.zero_()
            try:
                sums = sum(self.backward(batch, count) for batch in batches(rows, self.model.c.chunk, self.batch_tokens))
            except torch.OutOfMemoryError:
                self.batch_tokens //= 2
                torch.cuda.empty_cache()
                if self.batch_tokens < 2 * a.rollout_tokens:
                    raise
        ops.use_bf16(a.device == "cuda")
        size = self.flat.norm()
        self.flat.copy_(torch.where(size.isfinite(), self.flat / size.clamp(min=1.0), 0.0))
        self.rounded.lift()
        if a.muon:
            self.optimizer.directions(self.directions, 0, 1)
        self.optimizer.step(lr, self.directions)
        self.rounded.settle()
        clipped, drift, tokens = sums.tolist()
        return stats | dict(gradient=round(size.item(), 3), clipped=round(clipped / tokens, 4), kl=round(drift / tokens, 5), trained=int(tokens))

    def advantages(self, group: list[Episode]) -> list[tuple[Episode, float]]:
        """Which rollouts are learnt from, as many solved ones as others if there are, each weighing for those left out."""
        rewards = [reward(episode, self.run.a.unfinished) for episode in group]
        mean = sum(rewards) / len(rewards)
        sides = [[(e, r - mean) for e, r in zip(group, rewards) if e.done["solved"] == solved] for solved in (True, False)]
        half = self.run.a.rows // 2
        taken = [max(half, self.run.a.rows - len(other)) for other in reversed(sides)]
        return [(e, advantage * len(side) / len(side[:most])) for side, most in zip(sides, taken) for e, advantage in side[:most]]

    def rows(self, episode: Episode, advantage: float) -> list[tuple]:
        """(ids, logprob, weight) of each sequence that teaches something; weight is 0 where nothing was chosen."""
        out = []
        a, done = self.run.a, episode.done
        own = dict(invalid=-a.invalid, vain=-a.vain)  # of turns, whatever came of the rollout
        for segment in episode.segments:
            turn = np.array(segment.kind) - 1
            weight = np.where((turn >= 0) & ~np.isin(turn, done.get("dropped", [])), advantage, 0.0)
            for name, value in own.items():
                weight = weight + value * np.isin(turn, done.get(name, []))
            if (weight != 0).any():
                out.append((np.array(segment.ids), np.array(segment.logprob), weight))
        return out

    def backward(self, batch: list[tuple], count: int):
        """Adds to the gradient; (clipped, sum of log ratios' estimate of KL, tokens)."""
        device, chunk = self.run.a.device, self.model.c.chunk
        width = -(-max(len(ids) for ids, *_ in batch) // chunk) * chunk
        x, y = torch.zeros(2, len(batch), width, dtype=torch.long)
        old, weight = torch.zeros(2, len(batch), width)
        for r, (ids, logprob, w) in enumerate(batch):
            n = len(ids) - 1
            ids = torch.from_numpy(ids)
            x[r, :n], y[r, :n] = ids[:-1], ids[1:]
            old[r, :n], weight[r, :n] = torch.from_numpy(logprob[1:]).float(), torch.from_numpy(w[1:]).float()
        at = (weight.view(-1) != 0).nonzero().squeeze(1)
        y, old, weight = (part.view(-1)[at].to(device) for part in (y, old, weight))
        hidden = self.model.trunk(x.to(device))[0].view(-1, self.model.c.hidden)[at.to(device)]
        explored = explore(self.model.logits(hidden), self.run.a.temperature or 1.0, torch.tensor(self.run.a.least, device=device), y)
        logprob = -F.cross_entropy(explored, y, reduction="none")
        difference = logprob - old
        ratio = difference.exp()
        low, high = self.run.a.clip
        gain = torch.minimum(ratio * weight, ratio.clamp(1 - low, 1 + high) * weight)
        (-gain.sum() / count).backward()
        with torch.no_grad():
            outside = ((ratio > 1 + high) & (weight > 0)) | ((ratio < 1 - low) & (weight < 0))
            return torch.stack([outside.sum().float(), (ratio - 1 - difference).sum(), torch.tensor(float(len(y)), device=device)])


class Run:
    def __init__(self, a: argparse.Namespace):
        self.a = a
        torch.set_num_threads(a.threads)
        torch.manual_seed(a.seed)
        a.out.mkdir(parents=True, exist_ok=True)
        a.vocabulary = a.model
        self.state = a.state or a.out / "run.pt"
        self.log = (a.out / "log.jsonl").open("a" if a.resume else "w")
        model, self.tokenizer = load_gguf(a.model)
        self.start = model.to(a.device)
        if a.device == "cuda":
            self.start.use_gpu_forms(False)
            ops.use_bf16(True)
        wide = a.context
        a.context = a.rollout_tokens
        self.player = open_player(self.start, self.tokenizer, a, None, Choice(draw=a.temperature > 0, temperature=a.temperature or 1.0, least=a.least))
        a.context = wide
        self.examiner = None
        if a.frozen:
            self.count = count_tasks(a.frozen)
            seats = argparse.Namespace(**{**vars(a), "slots": a.eval_slots})
            self.examiner = open_player(self.start, self.tokenizer, seats, a.frozen, draw=None)
        self.say(ready=round(self.seconds, 1), device=torch.cuda.get_device_name() if a.device == "cuda" else "cpu", procs=a.procs, slots=a.slots, recorded=recorded(self.player.decoder, a.model))
        self.limits = {"context": a.rollout_tokens, "turn": 384, "steps": a.turns}
        self.saved = self.examined = 0.0
        self.practice, self.group_count = Practice(a.seed, a.group, a.look, a.kinds), 0  # of every arm: none plays another's

    @property
    def seconds(self) -> float:
        return time.time() - BEGUN

    def say(self, **row) -> None:
        line = json.dumps(row)
        print(line, flush=True)
        self.log.write(line + "\n")
        self.log.flush()

    def play(self, arm: Arm, until: float, last: float) -> None:
        """Trains until `until`; the rate falls towards `last`, where that is the end of the run."""
        a, player = self.a, self.player
        player.decoder.load(arm.model)
        groups: dict[int, Group] = {}
        ready: list[list[Episode]] = []
        window, logged = Counter(), self.seconds
        reach = player.decoder.slots + a.tasks * a.group
        while self.seconds < until and arm.step < a.steps:
            while player.open < reach:
                self.group_count += 1
                groups[self.group_count] = self.practice.draw()
                self.ask_for(self.group_count, groups[self.group_count], self.practice.look)
            for episode in player.step():
                number = episode.order["group"]
                group = groups.get(number)
                if group is None:
                    continue  # of another arm, which was given up
                self.count_rollout(arm, group.kind, episode, window)
                more = self.practice.heard(group, episode)
                if more:
                    self.ask_for(number, group, more)
                elif len(group.episodes) == group.wanted:
                    del groups[number]
                    if more == 0:
                        ready.append(group.episodes)
            if len(ready) >= a.tasks:
                groups_now, ready = ready[: a.tasks], ready[a.tasks :]
                begun = time.time()
                left = (last - self.seconds) / (a.decay * last) if a.decay else 1.0
                lr = arm.lr * min(1.0, (arm.step + 1) / a.warm) * max(0.1, min(1.0, left))
                stats = arm.learn(groups_now, lr)
                player.decoder.load(arm.model)
                arm.step += 1
                window.update(stats, steps=1, learning=time.time() - begun)
            if self.seconds - logged > LOG_EVERY:
                self.report(arm, window, self.seconds - logged)
                window, logged = Counter(), self.seconds
            if self.seconds - self.saved > a.save:
                self.save(arm)
            if self.examiner and last < NEVER and self.seconds - self.examined > a.evaluate and last - self.seconds > a.evaluate / 2:
                self.examine(arm, self.seconds + a.evaluate_secs)

    def ask_for(self, number: int, group: Group, count: int) -> None:
        """Rollouts of a group; the rest of one that was begun comes before new ones."""
        for _ in range(count):
            self.player.add({**self.practice.order(group), "group": number, "limits": self.limits}, first=bool(group.episodes))

    def drain(self, player: Player, secs: float) -> None:
        """Lets what was begun come to its end: the next weights play from the start."""
        until = self.seconds + secs
        while player.open and self.seconds < until:
            player.waiting.clear()
            player.step()

    def count_rollout(self, arm: Arm, kind: str, episode: Episode, window: Counter) -> None:
        arm.rollouts += 1
        done = episode.done
        if done is not None:
            earned = reward(episode, self.a.unfinished)
            arm.earned.append((kind, earned))
            window.update({f"{kind}_played": 1, f"{kind}_won": int(done["solved"])}, rollouts=1, reward=earned, solved=int(done["solved"]),
                          unfinished=int(not done["finished"]), turns=done["turns"], calls=done["calls"], invalid=len(done["invalid"]))

    def report(self, arm: Arm, w: Counter, seconds: float) -> None:
        n, steps, player, practice = max(1, w["rollouts"]), w["steps"], self.player, self.practice
        share = lambda part, whole=n: round(part / whole, 4)
        learnt = dict(
            gradient=round(w["gradient"] / steps, 3), clipped=round(w["clipped"] / steps, 4), kl=round(w["kl"] / steps, 5),
            rows=int(w["rows"] / steps), trained=int(w["trained"] / steps), learning=share(w["learning"], seconds)) if steps else {}
        self.say(
            seconds=round(self.seconds, 1), lr=arm.lr, step=arm.step, rollouts=arm.rollouts, a_second=round(w["rollouts"] / seconds, 2), reward=share(w["reward"]), solved=share(w["solved"]),
            kinds={kind: [w[f"{kind}_won"], w[f"{kind}_played"]] for kind in KINDS if w[f"{kind}_played"]}, weights={kind: round(practice.weight(kind), 2) for kind in KINDS}, begun=practice.begun, dropped=practice.dropped, divided=practice.divided,
            lost=practice.lost, unfinished=share(w["unfinished"]), turns=share(w["turns"]), valid=round(1 - w["invalid"] / max(1, w["calls"]), 4), **learnt,
            busy=round(player.busy / max(1, player.steps)), step_ms=round(1000 * seconds / max(1, player.steps), 1), cpu=round(time.process_time(), 1))
        player.busy, player.steps = 0.0, 0

    def examine(self, arm: Arm, until: float, name: str | None = None) -> None:
        begun = self.seconds
        self.examiner.decoder.load(arm.model)
        results = solve(self.examiner, range(self.count), BEGUN + until)
        self.say(evaluated=len(results), seconds=round(begun, 1), took=round(self.seconds - begun, 1), lr=arm.lr, step=arm.step, rollouts=arm.rollouts, sets=summary(results))
        if name:
            (self.a.out / name).write_text(json.dumps(dict(sets=summary(results), results=results)) + "\n")
        self.examined = self.seconds
        self.drain(self.examiner, min(10.0, max(0.0, self.a.secs - self.seconds)))

    def save(self, arm: Arm, name: str = "model.gguf") -> None:
        """What acts, as a file for the page; and all of it, to go on from."""
        export_rounded(arm.model, self.tokenizer, self.a.out / name)
        part = self.state.with_suffix(".part")
        torch.save(dict(fine=arm.rounded.fine, optimizer=arm.optimizer.state(), lr=arm.lr, step=arm.step, practice=self.practice.state(), rollouts=arm.rollouts), part)
        part.replace(self.state)
        self.saved = self.seconds

    def resumed(self) -> Arm:
        saved = torch.load(self.state, map_location=self.a.device)
        arm = Arm(self, self.start, self.a.arms[0] if self.a.arms else saved["lr"])
        arm.rounded.fine = saved["fine"]
        arm.rounded.apply()
        arm.optimizer.restore(saved["optimizer"])
        arm.step, arm.rollouts = saved["step"], saved["rollouts"]
        self.practice.restore(saved["practice"])
        return arm

    def go(self) -> None:
        a = self.a
        arms = [self.resumed()] if a.resume else []
        begun = self.seconds
        if self.examiner:
            self.examine(arms[0] if arms else Arm(self, copy.deepcopy(self.start), 0.0), begun + a.evaluate_secs, "start.json")
        end = a.secs - (min(a.evaluate_secs, 1.5 * (self.seconds - begun)) + 8 if self.examiner else 5)
        for lr in [] if arms else a.arms or [1e-4]:
            arm = Arm(self, copy.deepcopy(self.start), lr)
            arms.append(arm)
            if len(a.arms or ()) > 1:
                self.play(arm, self.seconds + a.arm_secs, NEVER)
                self.drain(self.player, 15)
        best = max(arms, key=Arm.lately)
        self.say(arms={arm.lr: round(arm.lately(), 4) for arm in arms}, chosen=best.lr)
        self.play(best, end, end)
        self.save(best)
        if self.examiner:
            self.examine(best, a.secs - 3, "end.json")
            self.examiner.environment.close()
        self.player.environment.close()
        self.say(ended=round(self.seconds, 1), step=best.step, rollouts=best.rollouts)


if __name__ == "__main__":
    Run(parse()).go()
