"""The real agent loop in processes of Node, played by a model here: who asks what, and what came of it.

`Environment` speaks to `rollouts.ts` (or its bundle); `Player` gives each episode a slot of a `Decoder`, its questions to
the decoder, and the answers back, all at the same time. Nothing waits for the slowest episode.
"""

import json
import os
import selectors
import shlex
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from decode import Choice, Decoder

HERE = Path(__file__).parent
ROLLOUTS = f"npx --prefix {HERE.parent} tsx {HERE / 'rollouts.ts'}"
SILENT = 30.0  # seconds after which a process that owes something is taken for stuck in what a model wrote; more where tests start a Node each


class Environment:
    """Processes of `command MODEL [TASKS]`. A process that hangs is ended and begun again; its episodes are lost."""

    def __init__(self, command: str, model: Path, tasks: Path | None, procs: int, silent: float = SILENT):
        self.silent = silent
        self.command = [*shlex.split(command), str(model), *([str(tasks)] if tasks else [])]
        self.selector = selectors.DefaultSelector()
        self.owed: list[set[int]] = [set() for _ in range(procs)]
        self.heard = [0.0] * procs
        self.parts = [b""] * procs
        self.out: list[bytearray] = [bytearray() for _ in range(procs)]
        self.home: dict[int, int] = {}
        self.deaths = 0
        self.procs = [self._start(i) for i in range(procs)]

    def _start(self, i: int):
        process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(pipe.fileno(), False)
        self.selector.register(process.stdout, selectors.EVENT_READ, i)
        self.parts[i], self.out[i], self.heard[i] = b"", bytearray(), time.time() + self.silent  # time to start
        return process

    def send(self, order: dict, home: int | None = None) -> None:
        """An order for an episode, on the process `home` if it is new, or an answer."""
        i = self.home.setdefault(order["id"], (home or 0) % len(self.procs))
        if not self.owed[i]:
            self.heard[i] = max(self.heard[i], time.time())
        self.owed[i].add(order["id"])
        self.out[i] += json.dumps(order).encode() + b"\n"

    def flush(self) -> None:
        for i, out in enumerate(self.out):
            if out:
                try:
                    del out[: os.write(self.procs[i].stdin.fileno(), out[:65536])]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    self.heard[i] = 0.0

    def poll(self, timeout: float) -> tuple[list[dict], list[int]]:
        """(what the processes said, episodes that are lost)."""
        self.flush()
        said: list[dict] = []
        for key, _ in self.selector.select(timeout):
            i = key.data
            data = os.read(key.fileobj.fileno(), 1 << 20)
            if not data:
                self.heard[i] = 0.0
                continue
            self.heard[i] = time.time()
            *lines, self.parts[i] = (self.parts[i] + data).split(b"\n")
            for line in lines:
                message = json.loads(line)
                self.owed[i].discard(message["id"])
                if "done" in message:
                    self.home.pop(message["id"], None)
                said.append(message)
        return said, self._lost()

    def _lost(self) -> list[int]:
        lost: list[int] = []
        for i, process in enumerate(self.procs):
            dead = process.poll() is not None
            if dead or (self.owed[i] and time.time() - self.heard[i] > self.silent):
                self.deaths += dead
                if self.deaths > 5 * len(self.procs):
                    raise RuntimeError(f"processes of the agent loop keep ending by themselves: {' '.join(self.command)}. Run that by hand to see why.")
                process.kill()
                process.wait()
                self.selector.unregister(process.stdout)
                lost += [id for id, home in self.home.items() if home == i]
                self.owed[i] = set()
                self.procs[i] = self._start(i)
        for id in lost:
            self.home.pop(id, None)
        return lost

    def close(self) -> None:
        for process in self.procs:
            process.kill()
            process.wait()


@dataclass
class Segment:
    """One sequence of ids. `kind`: 0 read, 1 + turn chosen by the model. `logprob` is of the choice as it was made."""
    ids: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    logprob: list[float] = field(default_factory=list)


@dataclass
class Episode:
    order: dict
    segments: list[Segment] = field(default_factory=list)
    turns: int = 0
    answer: list[int] = field(default_factory=list)  # to the question that is open
    prompt: list[int] = field(default_factory=list)
    beside: list[list] | None = None  # of its tokens, the most probable ids and the logarithms of their probabilities, where that is asked for
    slot: int | None = None
    done: dict | None = None  # what `rollouts.ts` says at the end; None where its process was lost


class Player:
    """`draw`: how every token is drawn; None: as the page does, by the loop's own settings."""

    def __init__(self, decoder: Decoder, environment: Environment, draw: Choice | None):
        self.decoder, self.environment, self.draw = decoder, environment, draw
        self.free = list(range(decoder.slots))
        self.waiting: deque[Episode] = deque()
        self.playing: dict[int, Episode] = {}
        self.by_slot: list[Episode | None] = [None] * decoder.slots
        self.deciding: dict[int, int] = {}  # slots that have a turn under way, and a number of that turn's own
        self.begun = 0
        self.turns: dict[int, tuple[list[int], int, int, Choice]] = {}  # to begin with the next steps
        self.position = [0] * decoder.slots  # tokens each slot has read, as far as is known here
        self.flying = None  # results on their way from the GPU
        self.count, self.tokens, self.steps = 0, 0, 0
        self.busy = 0.0  # slots with a turn under way, summed over steps

    def add(self, order: dict, first: bool = False) -> None:
        self.count += 1
        (self.waiting.appendleft if first else self.waiting.append)(Episode(dict(order, id=self.count)))

    @property
    def open(self) -> int:
        return len(self.waiting) + len(self.playing)

    def _seat(self) -> None:
        while self.waiting and self.free:
            episode = self.waiting.popleft()
            episode.slot = self.free.pop()
            self.by_slot[episode.slot] = episode
            self.playing[episode.order["id"]] = episode
            # `home` keeps what is played together, and so the same project, in one process.
            order = {key: value for key, value in episode.order.items() if key != "home"}
            self.environment.send(order, episode.order.get("home", order["id"]))

    def _hear(self, timeout: float) -> list[Episode]:
        said, lost = self.environment.poll(timeout)
        ended = [self._leave(id, None) for id in lost if id in self.playing]
        for message in said:
            if message["id"] not in self.playing:
                continue
            if "done" in message:
                ended.append(self._leave(message["id"], message["done"]))
            else:
                self._ask(self.playing[message["id"]], message)
        return ended

    def _leave(self, id: int, done: dict | None) -> Episode:
        episode = self.playing.pop(id)
        episode.done = done
        self.turns.pop(episode.slot, None)
        self.by_slot[episode.slot] = None
        if episode.slot not in self.deciding:
            self.free.append(episode.slot)
        return episode

    def _ask(self, episode: Episode, question: dict) -> None:
        ids, slot, decoder = question["ids"], episode.slot, self.decoder
        segment = episode.segments[-1] if episode.segments else None
        if segment and ids[: len(segment.ids)] == segment.ids:
            start = self.position[slot]
            new = ids[len(segment.ids) :]
        else:
            again = segment is not None and decoder.rewinds and ids == episode.prompt
            start = len(ids) - 1 if again else 0
            segment, new = Segment(), ids
            episode.segments.append(segment)
        episode.prompt = ids
        episode.beside = [] if question.get("beside") else None
        segment.ids += new
        segment.kind += [0] * len(new)
        segment.logprob += [0.0] * len(new)
        most = max(1, min(question["most"], decoder.context - len(ids)))
        self.turns[slot] = (segment.ids[start:], start, most, self._choice(question.get("sampling"), most, tuple(map(tuple, question.get("forks", ())))))

    def _choice(self, sampling: dict | None, most: int, forks: tuple[tuple[int, int], ...] = ()) -> Choice:
        if self.draw:
            return replace(self.draw, forks=forks)
        if not sampling or sampling.get("temperature", 0) == 0:
            return Choice(forks=forks)
        assert sampling["topK"] == 20, "the decoder filters by the 20 most probable"
        return Choice(temperature=sampling["temperature"], top_p=sampling["topP"], numbers=seeded(sampling["seed"], min(most, 256)), forks=forks)

    def step(self) -> list[Episode]:
        """Some tokens for every episode; returns those that ended."""
        self._seat()
        idle = not self.deciding and not self.turns and self.flying is None
        ended = self._hear(0.05 if idle else 0.0)
        self._seat()
        if self.turns:
            for slot, (ids, start, *_) in self.turns.items():
                self.position[slot] = start + len(ids)
                self.begun += 1
                self.deciding[slot] = self.begun
            self.decoder.begin(self.turns)
            self.turns = {}
        if self.deciding:
            # Of a slot the host knows the position before its answer began: what was generated since comes on top.
            longest = max(self.position[slot] + self._grown(slot) for slot in self.deciding)
            self.steps += 1
            self.busy += len(self.deciding)
            self.decoder.run(longest)
            landing = self._send_off()
        else:
            landing = None
        if self.flying is not None:
            self._land(self.flying)
        self.flying = landing
        if self.flying is not None and self.decoder.device.type != "cuda":
            self._land(self.flying)
            self.flying = None
        return ended

    def _grown(self, slot: int) -> int:
        episode = self.by_slot[slot]
        return 2 * len(self.decoder.chosen[0]) if episode is None else len(episode.segments[-1].ids) - self.position[slot] + 2 * len(self.decoder.chosen[0])

    def _send_off(self):
        decoder = self.decoder
        results = decoder.chosen, decoder.logprob, decoder.live, decoder.position, decoder.beside, decoder.beside_logprob
        if decoder.device.type != "cuda":
            return results, dict(self.deciding), None
        host = tuple(torch.empty(r.shape, dtype=r.dtype, pin_memory=True).copy_(r, non_blocking=True) for r in results)
        event = torch.cuda.Event()
        event.record()
        return host, dict(self.deciding), event

    def _land(self, flight) -> None:
        (chosen, logprob, live, position, beside, beside_logprob), slots, event = flight
        if event:
            event.synchronize()
        chosen, logprob, live, position = chosen.tolist(), logprob.tolist(), live.tolist(), position.tolist()
        for slot, turn in slots.items():
            if self.deciding.get(slot) != turn:
                continue  # that turn ended before; the slot may have another by now
            episode = self.by_slot[slot]
            if episode is not None:
                tokens, values = chosen[slot], logprob[slot]
                if episode.beside is not None:
                    episode.beside += [told for token, *told in zip(tokens, values, beside[slot].tolist(), beside_logprob[slot].tolist()) if token >= 0]
                if tokens[0] < 0 or tokens[-1] < 0:  # it was still reading, or has ended
                    values = [value for token, value in zip(tokens, values) if token >= 0]
                    tokens = [token for token in tokens if token >= 0]
                segment = episode.segments[-1]
                segment.ids += tokens
                segment.kind += [1 + episode.turns] * len(tokens)
                segment.logprob += values
                episode.answer += tokens
                self.tokens += len(tokens)
            if live[slot]:
                continue
            del self.deciding[slot]
            self.position[slot] = position[slot]
            if episode is None:
                self.free.append(slot)
                continue
            episode.turns += 1
            self.environment.send({"id": episode.order["id"], "ids": episode.answer} | ({} if episode.beside is None else {"beside": episode.beside}))
            episode.answer = []
        self.environment.flush()


def seeded(seed: int, count: int) -> list[float]:
    """`seededRandom` of src/model/sampling.ts: xoshiro128** from splitmix32."""
    full = 0xFFFFFFFF
    filler, state = seed & full, []
    for _ in range(4):
        filler = (filler + 0x9E3779B9) & full
        z = ((filler ^ (filler >> 16)) * 0x21F0AAAD) & full
        z = ((z ^ (z >> 15)) * 0x735A2D97) & full
        state.append(z ^ (z >> 15))
    a, b, c, d = state
    rotate = lambda value, by: ((value << by) | (value >> (32 - by))) & full
    out = []
    for _ in range(count):
        out.append(((rotate((b * 5) & full, 7) * 9) & full) / 4294967296)
        shifted = (b << 9) & full
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= shifted
        d = rotate(d, 11)
    return out
