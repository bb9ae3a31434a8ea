"""What reinforcement plays next: kinds of tasks and tasks that are solved about half of the time, for only those teach.

A group of rollouts that are all solved, or all not, has no advantage to learn from. So kinds of practice are drawn in proportion
to p(1 - p), the variance of a rollout of theirs, by a running estimate; a group begins with a few rollouts and ends there if
they agree (of what is dropped nothing is learnt, as in DAPO's dynamic sampling); and a task whose rollouts did not agree is
played again later, as long as they do not. Everything is of the training side: src/tasks/practice.ts draws nothing else.
"""

import random
from collections import deque
from dataclasses import dataclass, field

from environment import Episode

KINDS = ("one", "two", "packages", "mutant", "renamed")  # PRACTICE_KINDS of src/tasks/practice.ts
FORGET = 0.98  # what an estimate keeps of the past with every group
LEAST = 0.02  # of a kind's weight: what is never played is never known better
AGAIN = 0.4  # how often a task that divided its rollouts is played again
KEPT = 400


@dataclass
class Group:
    """The rollouts of one task. `wanted`: how many are under way or played."""
    kind: str
    index: int
    wanted: int
    episodes: list[Episode] = field(default_factory=list)
    lost: bool = False

    @property
    def is_divided(self) -> bool:
        return len({episode.done["solved"] for episode in self.episodes}) > 1


class Practice:
    def __init__(self, seed: int, group: int, look: int):
        self.seed, self.size, self.look = seed, group, min(look, group)
        self.dice = random.Random(seed)
        self.next_index = 0  # of all kinds
        self.solved, self.played = {kind: 1.0 for kind in KINDS}, {kind: 2.0 for kind in KINDS}
        self.dividing: deque[tuple[str, int]] = deque(maxlen=KEPT)
        self.begun, self.dropped, self.lost = 0, 0, 0

    def share(self, kind: str) -> float:
        return self.solved[kind] / self.played[kind]

    def weight(self, kind: str) -> float:
        p = self.share(kind)
        return max(LEAST, p * (1 - p))

    def draw(self) -> Group:
        self.begun += 1
        if self.dividing and self.dice.random() < AGAIN:
            kind, index = self.dividing.popleft()
        else:
            kind = self.dice.choices(KINDS, [self.weight(kind) for kind in KINDS])[0]
            index = self.next_index
            self.next_index += 1
        return Group(kind, index, self.look)

    def order(self, group: Group) -> dict:
        return {"kind": group.kind, "seed": self.seed, "index": group.index, "home": group.index}

    def heard(self, group: Group, episode: Episode) -> int | None:
        """Adds what ended. How many more rollouts the group is to have; 0: it may be learnt from; None: not yet, or never."""
        group.episodes.append(episode)
        # What hung in the tests it was given has no reward: such a group is left out.
        group.lost |= episode.done is None or episode.done["end"].startswith("error")
        if len(group.episodes) < group.wanted:
            return None
        if group.lost:
            self.lost += 1
            return None
        if not group.is_divided:
            self._count(group)
            self.dropped += 1
            return None
        more = self.size - group.wanted
        group.wanted = self.size
        if more == 0:
            self._count(group)
            self.dividing.append((group.kind, group.index))
        return more

    def _count(self, group: Group) -> None:
        for tally, seen in ((self.solved, sum(e.done["solved"] for e in group.episodes)), (self.played, len(group.episodes))):
            tally[group.kind] = FORGET * tally[group.kind] + seen

    def state(self) -> dict:
        return dict(next_index=self.next_index, solved=self.solved, played=self.played, dividing=list(self.dividing), dice=self.dice.getstate())

    def restore(self, state: dict) -> None:
        self.next_index, self.solved, self.played = state["next_index"], dict(state["solved"]), dict(state["played"])
        self.dividing.extend(state["dividing"])
        self.dice.setstate(state["dice"])
