"""What reinforcement plays next: tasks whose rollouts do not agree, for only those teach.

A group of rollouts that are all solved, or all not, has no advantage to learn from. So kinds of practice are drawn in proportion
to how often a new task of theirs divides its rollouts (not by how often they are solved: a kind that is solved half of the time may
hold tasks that always are and tasks that never are); a group begins with a few rollouts and ends there if they agree (of what is
dropped nothing is learnt, as in DAPO's dynamic sampling); and a task that divided its rollouts is played again later, as long as
it does. Everything is of the training side: src/tasks/practice.ts draws nothing else.
"""

import argparse
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from environment import Episode

KINDS = ("one", "two", "packages", "mutant", "renamed", "built", "written")  # PRACTICE_KINDS of src/tasks/practice.ts
FORGET = 0.98  # what an estimate keeps of the past with every group
LEAST = 0.03  # of a kind's weight: what is never played is never known better
AGAIN = 0.5  # how often a task that divided its rollouts is played again
KEPT = 400


@dataclass
class Group:
    """The rollouts of one task. `wanted`: how many are under way or played."""
    kind: str
    index: int
    wanted: int
    is_new: bool
    episodes: list[Episode] = field(default_factory=list)
    lost: bool = False

    @property
    def teaches(self) -> bool:
        """Not all rollouts came to the same."""
        return len({episode.done["solved"] for episode in self.episodes}) > 1


class Practice:
    def __init__(self, seed: int, group: int, look: int, kinds: Sequence[str] = KINDS):
        self.kinds = tuple(kinds)
        self.seed, self.size, self.look = seed, group, min(look, group)
        self.dice = random.Random(seed)
        self.next_index = 0  # of all kinds
        self.teaching, self.groups = {kind: 1.0 for kind in KINDS}, {kind: 2.0 for kind in KINDS}
        self.dividing: deque[tuple[str, int]] = deque(maxlen=KEPT)
        self.begun, self.divided, self.dropped, self.lost = 0, 0, 0, 0

    def weight(self, kind: str) -> float:
        return max(LEAST, self.teaching[kind] / self.groups[kind])

    def draw(self) -> Group:
        self.begun += 1
        if self.dividing and self.dice.random() < AGAIN:
            return Group(*self.dividing.popleft(), self.look, is_new=False)
        kind = self.dice.choices(self.kinds, [self.weight(kind) for kind in self.kinds])[0]
        self.next_index += 1
        return Group(kind, self.next_index, self.look, is_new=True)

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
        if not group.teaches:
            self._count(group)
            self.dropped += 1
            return None
        more = self.size - group.wanted
        group.wanted = self.size
        if more == 0:
            self._count(group)
            self.divided += 1
            self.dividing.append((group.kind, group.index))
        return more

    def _count(self, group: Group) -> None:
        if group.is_new:
            self.teaching[group.kind] = FORGET * self.teaching[group.kind] + group.teaches
            self.groups[group.kind] = FORGET * self.groups[group.kind] + 1

    def state(self) -> dict:
        return dict(next_index=self.next_index, teaching=self.teaching, groups=self.groups, dividing=list(self.dividing), dice=self.dice.getstate())

    def restore(self, state: dict) -> None:
        self.next_index = state["next_index"]
        self.teaching.update(state["teaching"])  # a state may be from before a kind was there
        self.groups.update(state["groups"])
        self.dividing.extend(task for task in state["dividing"] if task[0] in self.kinds)
        self.dice.setstate(state["dice"])


def kinds(text: str) -> tuple[str, ...]:
    """Kinds as a command line names them."""
    named = tuple(text.split(","))
    if unknown := set(named) - set(KINDS):
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: the kinds are {', '.join(KINDS)}")
    return named
