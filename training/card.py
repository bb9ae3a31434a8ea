"""The model card, with the numbers of a training log and of `npm run eval -- --out eval.json`.

    python card.py train.log --eval eval.json --machine "one NVIDIA H200" --out ../public/models/tabwright-micro.md
    python card.py train.log … --stage "supervised=out/rl/start.json" --stage "reinforced=out/rl/end.json" --curves reinforcement.svg

A stage is what `measure.py --out` (or `reinforce.py --frozen`) wrote after it; all of them are of the same frozen tasks, and each
is compared with the first, task by task. The picture is put beside the card.

`forerunner.md` beside this file, what the model before it was and did, goes at the end.
"""

import argparse
import json
import shutil
from pathlib import Path

from certainty import sign_test

CARD = """# Tabwright micro

A Qwen3-Next of {parameters:,} parameters ({active:,} used per token), trained from nothing for this project. It
ships with Tabwright so that everything runs with no download: the engine, the agent, the tests in the browser.
Licence: Apache-2.0, as the rest of the project.

**What it is for.** One-line bugs in small JavaScript functions: it runs the tests, reads the file that belongs to
the first failure, edits one line, runs the tests again, and stops when they are green. A few sentences of chat.

**What it is not.** It understands nothing. It has seen some four thousand kinds of small function, most of
them composed of the same few idioms, under many names, and recombines what it has seen. Bugs over several lines, other languages, questions about your code: use a real
model. It never saw a conversation of more than 1,024 tokens, nor any text that is not English and ASCII.

## Shape

| | |
|---|---|
| layers | {layers}, every {interval}nd is gated attention, the others Gated DeltaNet |
| hidden / vocabulary / context | {hidden} / {vocab} / {context} |
| DeltaNet | {k_heads} key heads, {v_heads} value heads of {gdn_dim}, convolution {conv} |
| attention | {heads} heads, {kv_heads} key-value head of {head_dim}, rotary on {rope_dim} |
| experts | {experts} of width {expert_ff}, {top_k} per token, and a shared one |
| file | GGUF, matrices Q8_0, the rest F32; greedy by default |

## Training

{tokens:.1f} million tokens ({episodes:,} episodes in the corpus, about 430 tokens each) in {minutes:.0f} minutes
on {machine}. Data: this repository's own generator (`npm run synthesise`); from
elsewhere only single words, used as names. How: `training/README.md`.

Held-out episodes while training, 100 each ({last} in the last row). *Edit exact*: the reference's edit, to the letter.
*All turns*: every turn of the episode; the first one opens with a sentence or not, by lot, so 100 % cannot be reached.

| minutes | M tokens | known: loss | edit exact | all turns | new families: loss | edit exact | all turns |
|---|---|---|---|---|---|---|---|
{rows}

## Solved in the real loop

{solved}

{stages}{forerunner}"""

SOLVED = """`npm run eval` (real browser, real container, hidden tests) on the held-out tasks:

| set | tasks | solved |
|---|---|---|
{rows}

*known*: families of the corpus under names it never has. *novel*: families it never has."""

STAGES = """## Stage by stage

The frozen tasks on the fast path (`training/measure.py`), after every stage of training. In brackets 95 % intervals. *Against the first*:
tasks that are solved and were not, tasks that were and are not, and how probable a difference as large is by chance (sign test).

| stage | set | solved | valid calls | against the first |
|---|---|---|---|---|
{rows}

{curves}"""

UNMEASURED = "Not measured yet for this file: `npm run eval -- --tasks test/fixtures/tasks/held-out` prints it."


def read_log(path: Path) -> tuple[dict, list[dict], list[dict]]:
    """The run's first line, its progress lines, and its evaluations. A resumed run's log is one log."""
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    heads = [row for row in rows if "parameters" in row]
    return heads[-1], [row for row in rows if "mtok" in row], [row for row in rows if "held" in row]


def progress(steps: list[dict], held: list[dict]) -> list[str]:
    out = []
    for seconds in sorted({row["seconds"] for row in held}):
        pair = {row["held"]: row for row in held if row["seconds"] == seconds}
        if len(pair) == 2:
            tokens = max((row["mtok"] for row in steps if row["seconds"] <= seconds + 1), default=0)
            cells = [f"{seconds / 60:.0f}", f"{tokens:.1f}"]
            for name in ("known", "novel"):
                cells += [f"{pair[name]['loss']:.4f}", f"{pair[name]['edit']:.0f} %", f"{pair[name]['episode']:.0f} %"]
            out.append(f"| {' | '.join(cells)} |")
    return out


def solved(path: Path | None) -> str:
    if path is None:
        return UNMEASURED
    summary = json.loads(path.read_text())["summary"]
    return SOLVED.format(rows="\n".join(f"| {one['set']} | {one['tasks']} | {one['solved']} ({one['share']:.1%}) |" for one in summary))


def paired(first: list[dict], then: list[dict]) -> str:
    """Gained, lost and the sign test's probability, over the tasks that both have."""
    before = {result["task"]: result["solved"] for result in first}
    both = [(before[result["task"]], result["solved"]) for result in then if result["task"] in before]
    gained, lost = sum(now and not was for was, now in both), sum(was and not now for was, now in both)
    return f"+{gained} −{lost} of {len(both)}, p = {sign_test(gained, lost):.2g}"


def stages(files: list[tuple[str, Path]], curves: Path | None) -> str:
    if not files:
        return ""
    runs = [(name, json.loads(path.read_text())) for name, path in files]
    rows = []
    for name, run in runs:
        for which, one in run["sets"].items():
            of_set = lambda results, which=which: [result for result in results if result["set"] == which]
            against = "" if run is runs[0][1] else paired(of_set(runs[0][1]["results"]), of_set(run["results"]))
            share = f"{one['solved']} of {one['tasks']}, {one['share']:.1%} ({one['low']:.1%}–{one['high']:.1%})"
            rows.append(f"| {name} | {which} | {share} | {one['valid']:.2%} | {against} |")
    return STAGES.format(rows="\n".join(rows), curves=f"![The run]({curves.name})\n\n" if curves else "")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("log", type=Path)
    args.add_argument("--eval", type=Path)
    args.add_argument("--machine", required=True, help="what it was trained on, in words")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--stage", action="append", default=[], type=lambda text: (text.split("=", 1)[0], Path(text.split("=", 1)[1])), help="NAME=FILE.json")
    args.add_argument("--curves", type=Path, help="a picture by curves.py")
    a = args.parse_args()
    if a.curves:
        shutil.copy(a.curves, a.out.parent / a.curves.name)
    head, steps, held = read_log(a.log)
    parameters, active = head.pop("parameters")
    last = max(steps, key=lambda row: row["seconds"])
    head.setdefault("episodes", last.get("episodes"))  # a corpus that grew in the run is counted at its end
    a.out.write_text(CARD.format(
        **head, parameters=parameters, active=active, tokens=last["mtok"], minutes=last["seconds"] / 60,
        rows="\n".join(progress(steps, held)), last=200 if last["lr"] == 0 else 100, solved=solved(a.eval),
        machine=a.machine, stages=stages(a.stage, a.curves), forerunner=(Path(__file__).parent / "forerunner.md").read_text()))
    print(a.out)


if __name__ == "__main__":
    main()
