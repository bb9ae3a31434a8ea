"""Solves every task of a file with a model, as the page would, on the fast path; prints shares with intervals.

    python measure.py MODEL.gguf --tasks frozen.jsonl --out results.json
    python measure.py MODEL.gguf --practice 200 --out results.json      # of each kind, of a seed that reinforcement does not play

Greedy, with the freer turns the agent's loop asks for, by the same random numbers as in the page. What differs from the
page: no guide holds tool calls to their form, and tests run in the process that plays (`src/tasks/fast-sandbox.ts`).
"""

import argparse
import hashlib
import json
import math
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch

from certainty import wilson
from checkpoint import load_gguf
from decode import Choice, Decoder, STEPS
from decode_cpu import CpuDecoder, suits
from environment import Environment, Episode, Player, ROLLOUTS, SILENT
from practice import kinds, KINDS
from tokenizer import CONTROL

FRESH_SEED = 4_000_000  # of practice that is only measured
RECORDED = Path(__file__).parent.parent / "test/fixtures/models/bundled.json"


def solve(player: Player, tasks: Iterable[int], until: float = math.inf, report=None, turns: dict[int, list[list[int]]] | None = None, levels: Sequence[str | None] = (None,), limits: dict | None = None) -> list[dict]:
    """What came of each task, in the order of the file. Stops early at `until`: the rest is left out. `turns` gets what was written."""
    for task in tasks:
        for level in levels:
            player.add({"task": task, "home": task} | ({"level": level} if level else {}) | ({"limits": limits} if limits else {}))
    return play(player, until, report, turns)


def practise(player: Player, count: int, chosen: Sequence[str] = KINDS, until: float = math.inf) -> list[dict]:
    """What came of the first tasks of each kind of practice."""
    for at, kind in enumerate(chosen):
        for index in range(count):
            player.add({"kind": kind, "seed": FRESH_SEED, "index": index, "home": at * count + index})
    return play(player, until)


def play(player: Player, until: float = math.inf, report=None, turns: dict[int, list[list[int]]] | None = None) -> list[dict]:
    results: dict[tuple, dict] = {}
    while player.open and time.time() < until:
        for episode in player.step():
            task, level = episode.order["home"], episode.order.get("level")
            if turns is not None:
                turns[task] = written(episode)
            result = episode.done or dict(solved=False, finished=False, end="lost", turns=0, calls=0, invalid=[], set="", task="")
            results[task, level or ""] = dict(result, level=level, set=f"{result['set']}, {level}") if level else result
        if report:
            report(len(results))
    return [results[key] for key in sorted(results)]


def written(episode: Episode) -> list[list[int]]:
    """The ids of each turn that was kept, the one that ended it included."""
    out: list[list[int]] = [[] for _ in range(episode.turns + 1)]  # the last: of a turn that its process did not live to hear
    for segment in episode.segments:
        for token, kind in zip(segment.ids, segment.kind):
            if kind:
                out[kind - 1].append(token)
    dropped = (episode.done or {}).get("dropped", [])
    return [ids for turn, ids in enumerate(out if out[-1] else out[:-1]) if turn not in dropped]


def summary(results: list[dict]) -> dict:
    groups: dict[str, list[dict]] = defaultdict(list)
    for result in results:
        groups[result["set"]].append(result)
    out = {}
    for name, group in sorted(groups.items()):
        solved, calls = sum(r["solved"] for r in group), sum(r["calls"] for r in group)
        low, high = wilson(solved, len(group))
        out[name] = dict(
            tasks=len(group), solved=solved, share=round(solved / len(group), 4), low=round(low, 4), high=round(high, 4),
            calls=calls, valid=round(1 - sum(len(r["invalid"]) for r in group) / max(1, calls), 5),
            turns=round(sum(r["turns"] for r in group) / len(group), 2),
            unfinished=round(sum(not r["finished"] for r in group) / len(group), 4))
    return out


def count_tasks(path: Path) -> int:
    """Lines that are tasks; the others hold what some tasks have in common."""
    with path.open() as lines:
        return sum("id" in json.loads(line) for line in lines if line.strip())


def recorded(decoder: Decoder, model: Path) -> str | None:
    """How many of the prompts whose greedy continuation llama.cpp recorded go on alike; None if they are another file's."""
    record = json.loads(RECORDED.read_text())
    if record["sha256"] != hashlib.sha256(model.read_bytes()).hexdigest():
        return None
    prompts = record["prompts"][: decoder.slots]
    out: list[list[int]] = [[] for _ in prompts]
    decoder.begin({i: (prompt["ids"], 0, record["mostTokens"], Choice()) for i, prompt in enumerate(prompts)})
    for _ in range(decoder.context // STEPS):
        if not decoder.live.any():
            break
        decoder.run(int(decoder.position.max()))
        for slot, row in enumerate(decoder.chosen[: len(prompts)].tolist()):
            out[slot] += [token for token in row if token >= 0 and token not in record["ends"]]
    return f"{sum(ids == prompt['greedy'] for ids, prompt in zip(out, prompts))} of {len(prompts)}"


def open_player(model, tokenizer, a, tasks: Path | None, draw: Choice | None) -> Player:
    ends = [tokenizer.ids[token] for token in CONTROL if token != "<|im_start|>"]
    make = CpuDecoder if suits(model.c, a.device) and shutil.which(os.environ.get("CXX", "g++")) else Decoder
    decoder = make(model.c, a.slots, a.context, a.device, ends)
    decoder.load(model)
    if a.device == "cuda":
        try:
            decoder.capture()
        except RuntimeError as error:  # slower, but nothing else depends on it
            print(f"no CUDA graphs, every step is launched by itself: {error}", flush=True)
            decoder.graphs.clear()
    return Player(decoder, Environment(a.rollouts, a.vocabulary, tasks, a.procs, a.silent), draw)


def arguments(args: argparse.ArgumentParser) -> None:
    """What everything that plays is asked for."""
    cuda = torch.cuda.is_available()
    args.add_argument("--device", default="cuda" if cuda else "cpu")
    args.add_argument("--slots", type=int, default=1024 if cuda else 48)
    args.add_argument("--context", type=int, default=4096, help="tokens a sequence may have")
    args.add_argument("--procs", type=int, default=max(1, (os.cpu_count() or 1) - 2), help="processes of Node")
    args.add_argument("--silent", type=float, default=SILENT, help="seconds after which a process of Node that owes something is ended and begun again")
    args.add_argument("--rollouts", default=ROLLOUTS, help="the command, where it is not run from this repository")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("model", type=Path)
    what = args.add_mutually_exclusive_group(required=True)
    what.add_argument("--tasks", type=Path)
    what.add_argument("--practice", type=int, help="so many tasks of each kind of practice, in place of a file")
    args.add_argument("--kinds", type=kinds, default=KINDS, help="of practice, all by default: " + ",".join(KINDS))
    args.add_argument("--out", type=Path)
    args.add_argument("--limit", type=int, default=1_000_000)
    args.add_argument("--only", type=lambda text: [int(task) for task in text.split(",")], help="tasks by their place in the file, from 0")
    args.add_argument("--levels", type=lambda text: text.split(","), default=[None], help="which instructions are asked of tasks that have three: vague,plain,exact")
    args.add_argument("--record", type=Path, help="gets the tasks and what was written, turn by turn, for test/browser/model-episodes.test.ts")
    args.add_argument("--limits", type=lambda text: dict(zip(("context", "turn", "steps"), map(int, text.split(",")))), help="CONTEXT,TURN,STEPS in tokens and turns, less than the page's for tasks on which a model goes on without end")
    args.add_argument("--secs", type=float, default=math.inf, help="ends then; what has not ended is in no share, and is said")
    args.add_argument("--threads", type=int, default=1)
    arguments(args)
    a = args.parse_args()
    if a.record and a.secs < math.inf:
        args.error("--record is of tasks that have all ended: leave --secs out")
    torch.set_num_threads(a.threads)
    model, tokenizer = load_gguf(a.model)
    a.vocabulary = a.model
    player = open_player(model, tokenizer, a, a.tasks, draw=None)
    print("recorded continuations alike:", recorded(player.decoder, a.model))
    begun, turns = time.time(), {}
    if a.practice:
        results = practise(player, a.practice, a.kinds, begun + a.secs)
    else:
        chosen = a.only or range(min(a.limit, count_tasks(a.tasks)))
        results = solve(player, chosen, begun + a.secs, turns=turns, levels=a.levels, limits=a.limits)
    player.environment.close()
    sets = summary(results)
    for name, row in sets.items():
        print(name, json.dumps(row))
    if player.open:
        print(f"{player.open} had not ended")
    print(f"{len(results)} results, {player.tokens} tokens in {time.time() - begun:.0f} s, {time.process_time():.0f} s of this process")
    if a.record:
        lines = a.tasks.read_text().splitlines()
        episodes = [dict(task=json.loads(lines[task]), turns=turns[task], done={key: result[key] for key in ("solved", "end")}) for task, result in zip(sorted(chosen), results)]
        a.record.write_text(json.dumps(dict(file=a.model.name, sha256=hashlib.sha256(a.model.read_bytes()).hexdigest(), episodes=episodes)) + "\n")
    if a.out:
        a.out.write_text(json.dumps(dict(model=a.model.name, sets=sets, results=results), indent=1) + "\n")


if __name__ == "__main__":
    main()
