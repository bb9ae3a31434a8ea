"""The curves of a run of `reinforce.py`, or of the rounds of `expert_iteration.py learn`, as a picture, from the logs.

    python curves.py out/rl/log.jsonl --out curves.svg
    python curves.py out/round1/log.jsonl out/round2/log.jsonl --stage 0=start.json --stage 90=end.json --out curves.svg

Of `reinforce.py` three panels over the rollouts played: what is solved of each kind of practice, what is solved of the frozen tasks (with
95 % intervals), and how many tool calls are valid. Kinds that are seldom played are averaged over more of the run.

Of expert iteration three panels over the steps of all rounds: how many episodes of tasks kept aside the model would write as they
are, the loss on them, and what is solved of frozen tasks, which `--stage STEPS=FILE.json` names as `measure.py` wrote them.
"""

import argparse
import json
from pathlib import Path

from certainty import wilson
from practice import KINDS

ROLLOUTS = 60  # that a share of a kind is of
WIDTH, HEIGHT, LEFT, TOP, GAP = 340, 190, 46, 30, 60
COLOURS = {"one": "#56b4e9", "two": "#d55e00", "packages": "#cc79a7", "mutant": "#0072b2", "renamed": "#555", "built": "#e69f00", "written": "#117733", "known": "#009e73", "novel": "#d55e00", "practice": "#0072b2", "lessons": "#d55e00", "others": "#0072b2"}


class Panel:
    def __init__(self, index: int, title: str, low: float, high: float, rollouts: int):
        self.x0, self.low, self.high, self.rollouts = LEFT + index * (WIDTH + GAP), low, high, max(1, rollouts)
        self.parts = [f'<text x="{self.x0}" y="18" font-weight="bold">{title}</text>']
        for i in range(6):
            value = low + (high - low) * i / 5
            self.parts.append(f'<line x1="{self.x0}" x2="{self.x0 + WIDTH}" y1="{self.y(value):.1f}" y2="{self.y(value):.1f}" stroke="#ddd"/>'
                              f'<text x="{self.x0 - 5}" y="{self.y(value) + 4:.1f}" text-anchor="end">{value * 100:.{0 if high - low > 0.2 else 1}f}</text>')
        for i in range(3):
            at = self.rollouts * i / 2
            label = f"{at:.0f}" if self.rollouts < 1000 else f"{at / 1000:.{0 if self.rollouts >= 4000 else 1}f}k"
            self.parts.append(f'<text x="{self.x(at):.1f}" y="{TOP + HEIGHT + 15}" text-anchor="middle">{label}</text>')
        self.label_x = float(self.x0)

    def x(self, rollouts: float) -> float:
        return self.x0 + WIDTH * rollouts / self.rollouts

    def y(self, value: float) -> float:
        return TOP + HEIGHT * (1 - (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low))

    def line(self, name: str, points: list[tuple[float, float]], bars: list[tuple[float, float, float]] = ()) -> None:
        colour = COLOURS[name]
        path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        for x, low, high in bars:
            self.parts.append(f'<line x1="{self.x(x):.1f}" x2="{self.x(x):.1f}" y1="{self.y(low):.1f}" y2="{self.y(high):.1f}" stroke="{colour}"/>')
        if points:
            text = f"{name} {points[-1][1] * 100:.1f}"
            self.parts.append(f'<text x="{self.label_x:.0f}" y="{TOP + HEIGHT + 32}" fill="{colour}" font-size="10">{text}</text>')
            self.label_x += 5.6 * len(text) + 7


def shares(points: list[tuple[float, int, int]], over: int) -> list[tuple[float, float]]:
    """Solved of played, over at least the last `over` rollouts where there are so many."""
    out = []
    for i, (x, *_) in enumerate(points):
        first, played = i, points[i][2]
        while first > 0 and played < over:
            first -= 1
            played += points[first][2]
        if played >= over or i == len(points) - 1:
            out.append((x, sum(won for _, won, _ in points[first : i + 1]) / played))
    return out


def smooth(points: list[tuple[float, float]], over: int) -> list[tuple[float, float]]:
    out = []
    for i, (x, _) in enumerate(points):
        near = [y for _, y in points[max(0, i - over + 1) : i + 1]]
        out.append((x, sum(near) / len(near)))
    return out


def draw(rows: list[dict]) -> str:
    chosen = {row["chosen"] for row in rows if "chosen" in row}  # a run that was resumed may have several
    mine = [row for row in rows if "reward" in row and row["lr"] in chosen]
    exams = [row for row in rows if "evaluated" in row and row["lr"] in {0.0, *chosen}]
    rollouts = max([row["rollouts"] for row in mine + exams], default=1)
    practice = Panel(0, "practice: solved of each kind, %", 0, 1, rollouts)
    for name in KINDS:
        practice.line(name, shares([(row["rollouts"], *row["kinds"][name]) for row in mine if name in row["kinds"]], ROLLOUTS))
    frozen = Panel(1, "frozen tasks: solved, %", 0.5, 1, rollouts)
    valid = Panel(2, "valid tool calls, %", 0.9, 1, rollouts)
    valid.line("practice", smooth([(row["rollouts"], row["valid"]) for row in mine], 3))
    for name in ("known", "novel", "built"):
        sets = [(row["rollouts"], row["sets"][name]) for row in exams if name in row["sets"]]
        frozen.line(name, [(x, s["share"]) for x, s in sets], bars=[(x, s["low"], s["high"]) for x, s in sets])
        valid.line(name, [(x, s["valid"]) for x, s in sets])
    return picture([practice, frozen, valid])


def draw_learning(logs: list[list[dict]], stages: list[tuple[int, dict]]) -> str:
    """`logs`: of each round the rows. A round begins where the one before ended."""
    looks, begun = [], 0
    for rows in logs:
        mine = [row for row in rows if "examined" in row]
        looks += [(begun + row["examined"], row) for row in mine]
        begun += max((row["examined"] for row in mine), default=0)
    written = Panel(0, "tasks kept aside: written as they are, %", 0, 1, begun)
    loss = Panel(1, "loss on them, 0.01 nats a token", 0, 0.06, begun)
    frozen = Panel(2, "frozen tasks: solved, %", 0, 1, begun)
    for name in ("lessons", "others"):
        of = [(at, row[name]["alike"], row[name]["rows"]) for at, row in looks if row[name]["rows"]]
        written.line(name, [(at, alike / rows) for at, alike, rows in of], [(at, *wilson(alike, rows)) for at, alike, rows in of])
        loss.line(name, [(at, row[name]["loss"]) for at, row in looks])
    for name in ("known", "novel", "built"):
        sets = [(at, run["sets"][name]) for at, run in stages if name in run["sets"]]
        frozen.line(name, [(at, one["share"]) for at, one in sets], [(at, one["low"], one["high"]) for at, one in sets])
    return picture([written, loss, frozen])


def picture(panels: list[Panel]) -> str:
    width, height = LEFT + 3 * (WIDTH + GAP), TOP + HEIGHT + 45
    body = "\n".join(part for panel in panels for part in panel.parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="{width}" height="{height}" fill="white"/>\n{body}\n</svg>\n')


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("log", type=Path, nargs="+", help="of one run of reinforce.py, or of each round of expert iteration")
    args.add_argument("--stage", action="append", default=[], type=lambda text: (int(text.split("=", 1)[0]), json.loads(Path(text.split("=", 1)[1]).read_text())), help="STEPS=FILE.json")
    args.add_argument("--out", type=Path, required=True)
    a = args.parse_args()
    logs = [[json.loads(line) for line in path.open()] for path in a.log]
    is_learning = any("examined" in row for row in logs[0])
    a.out.write_text(draw_learning(logs, a.stage) if is_learning else draw(logs[0]))
    print(a.out)


if __name__ == "__main__":
    main()
