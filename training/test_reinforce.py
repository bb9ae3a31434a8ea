"""Checks of reinforcement that need no Node and no data: `python test_reinforce.py`, a few seconds.

The decoder against the model it stands for, files that come back, rounding, the gradient's direction, the intervals.
"""

import argparse
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

import export
import gguf
from certainty import sign_test, wilson
from checkpoint import load_gguf, rounded, Rounded
from config import preset
from decode import Choice, Decoder, explore, STEPS
from decode_cpu import CpuDecoder, suits
from environment import Episode, Player, seeded, Segment
from measure import written
from model import Model
from practice import KINDS, Practice
from reinforce import Arm, Run

BUNDLED = Path(__file__).parent.parent / "public/models/tabwright-micro.gguf"
END = 3


def small() -> Model:
    torch.manual_seed(5)
    model = Model(preset("micro", vocab=64, hidden=64, context=128))
    model.head.data.mul_(20)  # decided enough that the most probable token is the same in any order of sums
    return model


def logprobs(model: Model, ids: list[int], temperature: float = 1.0, least: float = 0.0) -> torch.Tensor:
    row = torch.zeros(1, -(-len(ids) // model.c.chunk) * model.c.chunk, dtype=torch.long)
    row[0, : len(ids)] = torch.tensor(ids)
    with torch.no_grad():
        return explore(model.logits(model.trunk(row)[0])[0, : len(ids)], temperature, torch.tensor(least)).log_softmax(-1)


def chances(model: Model, ids: list[int]) -> list[float]:
    """The logarithm of the probability of each id from the third on."""
    values = logprobs(model, ids)
    return [values[i - 1, ids[i]].item() for i in range(2, len(ids))]


def play(decoder: Decoder, turns: dict, steps: int = 4) -> dict[int, list[tuple[int, float]]]:
    """What each slot chose, with the logarithms of the probabilities."""
    decoder.begin(turns)
    out: dict[int, list] = {slot: [] for slot in turns}
    for _ in range(steps):
        decoder.run(int(decoder.position.max()))
        for slot in turns:
            out[slot] += [(t, p) for t, p in zip(decoder.chosen[slot].tolist(), decoder.logprob[slot].tolist()) if t >= 0]
    return out


class Decoding(unittest.TestCase):
    def test_equals_the_model_whatever_the_other_slots_do(self):
        self.equals_the_model(small(), Decoder)

    def test_the_ragged_steps_of_a_cpu_equal_the_model_as_well(self):
        model = Model(preset("small", vocab=64, hidden=64, context=128))
        model.head.data.mul_(20)
        self.assertTrue(suits(model.c, "cpu"))
        self.equals_the_model(model, CpuDecoder)

    def test_a_prompt_that_several_ask_is_read_once(self):
        model = Model(preset("small", vocab=64, hidden=64, context=128))
        decoder = CpuDecoder(model.c, 4, 128, "cpu", [END])
        decoder.load(model)
        prompt = list(range(10, 60)) * 2
        alone = play(decoder, {3: (prompt, 0, 5, Choice())}, 3)[3]
        together = play(decoder, {slot: (prompt, 0, 5, Choice()) for slot in range(3)}, 3)
        self.assertEqual(decoder.shared, 2 * (len(prompt) - 1))
        for slot in range(3):
            self.assertEqual([token for token, _ in together[slot]], [token for token, _ in alone])

    def test_a_turn_begins_again_where_its_prompt_ends_and_leaves_its_way_where_it_is_told(self):
        model = Model(preset("small", vocab=64, hidden=64, context=128))
        model.head.data.mul_(20)
        decoder = CpuDecoder(model.c, 2, 128, "cpu", [END])
        decoder.load(model)
        prompt = list(range(10, 40))
        first = [token for token, _ in play(decoder, {1: (prompt, 0, 6, Choice())})[1]]
        beside = decoder.beside[1].tolist()
        again = [token for token, _ in play(decoder, {1: (prompt[-1:], len(prompt) - 1, 6, Choice())})[1]]
        self.assertEqual(again, first)
        other = play(decoder, {1: (prompt[-1:], len(prompt) - 1, 6, Choice(forks=((2, 2),)))})[1]
        fresh = play(decoder, {0: (prompt, 0, 6, Choice(forks=((2, 2),)))})[0]
        self.assertEqual([token for token, _ in other], [token for token, _ in fresh])
        self.assertEqual([token for token, _ in other[:2]], first[:2])
        self.assertNotEqual(other[2][0], first[2])
        expected = logprobs(model, prompt + [token for token, _ in other])[len(prompt) + 1]
        self.assertEqual(other[2][0], expected.topk(2).indices[1].item())
        self.assertAlmostEqual(other[2][1], expected[other[2][0]].item(), places=4)
        plain = Decoder(model.c, 1, 128, "cpu", [END])
        plain.load(model)
        self.assertEqual([token for token, _ in play(plain, {0: (prompt, 0, 6, Choice(forks=((2, 2),)))}, 6)[0]], [token for token, _ in other])

    def equals_the_model(self, model: Model, form: type[Decoder]) -> None:
        decoder = form(model.c, 3, 128, "cpu", [END])
        decoder.load(model)
        first = play(decoder, {0: ([5, 6, 7], 0, 12, Choice()), 2: ([9] * 20, 0, 5, Choice(draw=True))})
        # Slot 0 goes on from where it was; slot 1 begins while the others hold their states.
        ids = [5, 6, 7] + [t for t, _ in first[0]] + [11, 12]
        read = int(decoder.position[0])
        second = play(decoder, {0: (ids[read:], read, 8, Choice()), 1: ([1, 2], 0, 6, Choice(draw=True, temperature=1.7, least=0.2))})
        cases = [([5, 6, 7], first[0], ()), ([9] * 20, first[2], ()), (ids, second[0], ()), ([1, 2], second[1], (1.7, 0.2))]
        for prompt, chosen, how in cases:
            self.assertTrue(chosen)
            expected = logprobs(model, prompt + [t for t, _ in chosen], *how)
            for i, (token, value) in enumerate(chosen):
                self.assertAlmostEqual(value, expected[len(prompt) - 1 + i, token].item(), delta=2e-4)
        for prompt, chosen, _ in (cases[0], cases[2]):  # greedy
            self.assertEqual([t for t, _ in chosen], [int(logprobs(model, prompt + [t for t, _ in chosen])[len(prompt) - 1 + i].argmax()) for i in range(len(chosen))])

    def test_ends_a_turn_at_its_end_or_its_length(self):
        model = small()
        decoder = Decoder(model.c, 2, 128, "cpu", list(range(64)))
        decoder.load(model)
        self.assertEqual(len(play(decoder, {0: ([1], 0, 50, Choice())})[0]), 1)
        decoder.ends = torch.tensor([END + 1000])
        self.assertEqual(len(play(decoder, {1: ([1], 0, STEPS + 3, Choice(draw=True))})[1]), STEPS + 3)

    def test_filters_as_the_page_does(self):
        decoder = Decoder(small().c, 1, 128, "cpu", [END])
        logits = torch.full((1, 64), -50.0)
        logits[0, [8, 4, 6]] = torch.tensor([0.5, 0.3, 0.2]).log()
        decoder.filtered[0], decoder.top_p[0] = True, 0.75  # leaves the first two: 0.625, 0.375
        for number, token in ((0.0, 8), (0.62, 8), (0.63, 4), (0.999, 4)):
            decoder.numbers[0, 0] = number
            self.assertEqual(decoder._choose(logits).item(), token)

    def test_explores_without_what_is_improbable_but_with_what_was_chosen(self):
        logits = torch.tensor([[0.6, 0.3, 0.09, 0.01]]).log()
        as_drawn = explore(logits, 2.0, torch.tensor(0.12)).softmax(-1)[0]
        self.assertEqual(as_drawn[3].item(), 0.0)
        self.assertAlmostEqual((as_drawn[0] / as_drawn[1]).item(), 2**0.5, places=4)
        self.assertGreater(explore(logits, 2.0, torch.tensor(0.12), torch.tensor([3])).softmax(-1)[0, 3].item(), 0.0)
        torch.testing.assert_close(explore(logits, 1.0, torch.tensor(0.0)), logits)

    def test_what_was_written_is_told_by_turns_the_one_that_was_lost_included(self):
        segment = Segment(ids=[1, 2, 3, 4, 5], kind=[0, 1, 1, 0, 2], logprob=[0.0] * 5)
        self.assertEqual(written(Episode({}, [segment], turns=2)), [[2, 3], [5]])
        self.assertEqual(written(Episode({}, [segment], turns=1)), [[2, 3], [5]])
        self.assertEqual(written(Episode({}, [segment], turns=3)), [[2, 3], [5], []])
        self.assertEqual(written(Episode({}, [segment], turns=3, done=dict(dropped=[1]))), [[2, 3], []])

    def test_turns_of_a_player_are_chosen_as_the_loop_asks(self):
        decoder = Decoder(small().c, 1, 128, "cpu", [END])
        player = Player(decoder, Game(), None)
        self.assertEqual(player._choice(None, 5), Choice())
        freer = player._choice(dict(temperature=0.7, topP=0.8, topK=20, seed=7), 4)
        self.assertEqual(freer, Choice(False, 0.7, 0.8, seeded(7, 4)))
        decoder.begin({0: ([1], 0, 4, freer)})
        self.assertEqual([decoder.filtered[0].item(), round(decoder.temperature[0].item(), 4), round(decoder.top_p[0].item(), 4), decoder.least[0].item()], [True, 0.7, 0.8, 0.0])

    def test_random_numbers_are_the_pages(self):
        """Printed by `seededRandom(7)` of src/model/sampling.ts."""
        self.assertEqual(seeded(7, 4), [0.04900959390215576, 0.16556235309690237, 0.9298532083630562, 0.952130623627454])


class Files(unittest.TestCase):
    def test_the_shipped_file_comes_back_byte_by_byte(self):
        model, tokenizer = load_gguf(BUNDLED)
        state = {key: value.numpy() for key, value in model.state_dict().items()}
        rows = [(n, v, gguf.Q8_0 if may and v.shape[-1] % 32 == 0 else gguf.F32) for n, v, may in export.tensors(state, model.c)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "again.gguf"
            gguf.write(path, export.metadata(model.c, tokenizer, export.NAME), rows)
            (meta, first), (again, second) = gguf.read(BUNDLED), gguf.read(path)
        self.assertEqual(meta, again)
        for (name, values, kind), (_, other, same_kind) in zip(first, second):
            self.assertEqual(kind, same_kind)
            # Norms lose a rounding on their way through "less one"; what Q8_0 holds does not change.
            torch.testing.assert_close(torch.tensor(values), torch.tensor(other), atol=0 if kind == gguf.Q8_0 else 2e-6, rtol=0, msg=name)

    def test_rounding_is_that_of_the_file(self):
        values = torch.randn(4, 64)
        blob = gguf.quantize_q8_0(values.numpy())
        theirs = gguf.dequantize_q8_0(np.frombuffer(blob, np.uint8))
        self.assertEqual(rounded(values).flatten().tolist(), theirs.tolist())

    def test_small_steps_survive_rounding_on_average(self):
        model, _ = load_gguf(BUNDLED)
        before = {name: p.detach().clone() for name, p in model.named_parameters()}
        kept = Rounded(model, spread=True)
        self.assertTrue(all(torch.equal(before[name], p) for name, p in model.named_parameters()))
        name = "layers.1.gate_up"
        step = 2e-4
        kept.fine[name] += step
        kept.apply()
        moved = (dict(model.named_parameters())[name] - before[name]).mean().item()
        self.assertAlmostEqual(moved, step, delta=0.1 * step)


class Learning(unittest.TestCase):
    def run_of(self, model: Model) -> Arm:
        a = argparse.Namespace(device="cpu", bf16=False, temperature=1.0, least=0.0, muon=False, unfinished=0.2, invalid=0.5, vain=0.5, clip=(0.2, 0.28), rows=8)
        return Arm(argparse.Namespace(a=a), model, 1e-3)

    def episode(self, model: Model, ids: list[int], **done) -> Episode:
        """Two ids read, the rest chosen in two turns."""
        values = logprobs(model, ids)
        segment = Segment(ids, [0, 0, 1, 1] + [2] * (len(ids) - 4), [0.0] * len(ids))
        for i in range(2, len(ids)):
            segment.logprob[i] = values[i - 1, ids[i]].item()
        return Episode({}, [segment], done=dict(dict(solved=True, finished=True, invalid=[]), **done))

    def test_what_was_rewarded_becomes_more_probable(self):
        model = small()
        arm = self.run_of(model)
        good, bad = [5, 6, 7, 8, 9, 10], [5, 6, 17, 18, 19, 20]
        before = sum(chances(model, good)), sum(chances(model, bad))
        stats = arm.learn([[self.episode(model, good), self.episode(model, bad, solved=False)]], 1e-3)
        self.assertLess(abs(stats["kl"]), 1e-3)
        self.assertEqual(stats["clipped"], 0)
        self.assertGreater(sum(chances(model, good)), before[0])
        self.assertLess(sum(chances(model, bad)), before[1])

    def test_groups_all_alike_teach_nothing(self):
        model = small()
        arm = self.run_of(model)
        self.assertEqual(arm.learn([[self.episode(model, [5, 6, 7, 8, 9])] * 2], 1e-3), dict(rows=0))

    def test_rollouts_that_are_learnt_from_weigh_for_those_left_out(self):
        model = small()
        arm = self.run_of(model)
        arm.run.a.rows = 4
        for solved in (1, 4, 7):
            group = [self.episode(model, [5, 6, 7, 8], solved=i < solved) for i in range(8)]
            taken = arm.advantages(group)
            self.assertEqual(len(taken), 4)
            for side in (True, False):
                weights = [weight for e, weight in taken if e.done["solved"] == side]
                self.assertGreaterEqual(len(weights), 1)
                self.assertAlmostEqual(sum(weights), (1 if side else -1) * solved * (8 - solved) / 8)

    def test_an_invalid_call_costs_its_own_tokens(self):
        model = small()
        arm = self.run_of(model)
        rows = arm.rows(self.episode(model, [5, 6, 7, 8, 9, 10], invalid=[1]), 0.25)
        self.assertEqual(rows[0][2].tolist(), [0, 0, 0.25, 0.25, -0.25, -0.25])

    def test_an_edit_in_vain_becomes_less_probable_though_its_rollout_was_solved_and_another_draw_was_kept(self):
        model = small()
        arm = self.run_of(model)
        vain = self.episode(model, [5, 6, 7, 8, 9, 10], vain=[1], dropped=[1])
        self.assertEqual([round(weight, 2) for weight in arm.rows(vain, 0.25)[0][2].tolist()], [0, 0, 0.25, 0.25, -0.5, -0.5])
        before = chances(model, [5, 6, 7, 8, 9, 10])
        arm.learn([[vain, self.episode(model, [5, 6, 17, 18, 19, 20], vain=[1], dropped=[1])]], 1e-3)
        after = chances(model, [5, 6, 7, 8, 9, 10])
        self.assertLess(sum(after[2:]), sum(before[2:]))


class Game:
    """An environment whose best play is known: of two questions each, the answer must begin with a low id; then it is solved."""

    def __init__(self):
        self.said: list[dict] = []
        self.asked: dict[int, list[int]] = {}
        self.right: dict[int, list[bool]] = {}

    def send(self, order: dict, home: int | None = None) -> None:
        id = order["id"]
        if "ids" not in order:
            self.right[id], self.asked[id] = [], [5, 6 + order["index"] % 3]
            self.said.append(dict(id=id, ids=self.asked[id], most=3))
            return
        self.right[id].append(order["ids"][0] < 32)
        if len(self.right[id]) == 2:
            done = dict(solved=all(self.right.pop(id)), finished=True, end="verified", turns=2, calls=2, invalid=[], set="one", task="", family="")
            self.said.append(dict(id=id, done=done))
        else:
            self.asked[id] = self.asked[id] + order["ids"] + [7]
            self.said.append(dict(id=id, ids=self.asked[id], most=3))

    def poll(self, timeout: float) -> tuple[list[dict], list[int]]:
        said, self.said = self.said, []
        return said, []

    def flush(self) -> None:
        pass


class Playing(unittest.TestCase):
    def test_reward_rises_where_it_can(self):
        torch.manual_seed(1)
        model = small()
        model.head.data.div_(20)
        decoder = Decoder(model.c, 24, 128, "cpu", [END])
        run = Run.__new__(Run)
        run.a = argparse.Namespace(device="cpu", bf16=False, temperature=1.0, least=0.0, muon=False, unfinished=0.2, invalid=0.5, vain=0.5, clip=(0.2, 0.28), decay=0.0, tasks=6, group=8, look=4, rows=8, warm=10, steps=20, seed=1, save=1e9)
        run.player, run.examiner, run.limits = Player(decoder, Game(), Choice(draw=True)), None, {}
        run.practice, run.group_count, run.saved, run.say = Practice(1, 8, 4), 0, 0.0, lambda **row: None
        arm = Arm(run, model, 3e-3)
        run.play(arm, 1e9, 1e9)
        first, last = (sum(reward for _, reward in part) / 100 for part in (arm.earned[:100], arm.earned[-100:]))
        self.assertLess(first, 0.5)  # a quarter by chance
        self.assertGreater(last, first + 0.25)
        self.assertEqual(arm.step, 20)


class Drawing(unittest.TestCase):
    def play(self, practice: Practice, chance: dict[str, float], groups: int) -> list:
        """Groups as they came out where a rollout of a kind is solved with that chance."""
        out = []
        for _ in range(groups):
            group = practice.draw()
            more: int | None = practice.look
            while more:
                for _ in range(more):
                    solved = practice.dice.random() < chance[group.kind]
                    more = practice.heard(group, Episode({}, done=dict(solved=solved, end="verified")))
            out.append((group, more))
        return out

    def test_kinds_whose_rollouts_agree_are_seldom_drawn(self):
        practice = Practice(1, 8, 4)
        chances = dict(one=1.0, two=0.5, packages=1.0, mutant=0.5, renamed=0.0, built=0.0, written=0.0)
        self.play(practice, chances, 300)
        later = [group.kind for group, _ in self.play(practice, chances, 200)]
        self.assertGreater(later.count("two") + later.count("mutant"), 150)
        self.assertTrue(all(practice.weight(kind) > 0 for kind in KINDS))

    def test_a_group_that_agrees_ends_early_and_one_that_does_not_is_whole(self):
        practice = Practice(1, 8, 4)
        for group, more in self.play(practice, {kind: 0.5 for kind in KINDS}, 100):
            self.assertEqual(len(group.episodes), 8 if group.teaches else 4)
            self.assertEqual(more, 0 if group.teaches else None)

    def test_a_task_that_divided_its_rollouts_is_played_again(self):
        practice = Practice(1, 8, 4)
        drawn = [(group.kind, group.index) for group, _ in self.play(practice, {kind: 0.5 for kind in KINDS}, 100)]
        self.assertLess(len(set(drawn)), 75)

    def test_goes_on_from_what_knew_fewer_kinds_and_plays_only_those_that_are_chosen(self):
        before, practice = Practice(1, 8, 4, ("one", "two")), Practice(1, 8, 4, ("two", "built"))
        self.play(before, {kind: 0.5 for kind in KINDS}, 50)
        state = before.state()
        del state["teaching"]["built"], state["groups"]["built"]
        practice.restore(state)
        self.assertEqual({group.kind for group, _ in self.play(practice, {kind: 0.5 for kind in KINDS}, 100)}, {"two", "built"})

    def test_a_lost_rollout_leaves_its_group_out(self):
        practice = Practice(1, 2, 2)
        group = practice.draw()
        practice.heard(group, Episode({}, done=None))
        self.assertIsNone(practice.heard(group, Episode({}, done=dict(solved=True, end="verified"))))
        self.assertEqual(practice.lost, 1)

    def test_goes_on_where_it_was(self):
        practice, again = Practice(1, 8, 4), Practice(2, 8, 4)
        self.play(practice, {kind: 0.5 for kind in KINDS}, 50)
        again.restore(practice.state())
        self.assertEqual([(g.kind, g.index) for g in (again.draw() for _ in range(20))], [(g.kind, g.index) for g in (practice.draw() for _ in range(20))])


class Intervals(unittest.TestCase):
    def test_of_known_values(self):
        """Brown, Cai, DasGupta 2001; 30 of 40 by an independent calculator."""
        self.assertEqual(tuple(round(x, 3) for x in wilson(30, 40)), (0.598, 0.858))
        self.assertEqual(round(wilson(0, 20)[1], 3), 0.161)

    def test_of_signs(self):
        self.assertEqual(sign_test(4, 0), 0.125)
        self.assertEqual(sign_test(3, 3), 1.0)
        self.assertAlmostEqual(sign_test(15, 5), 0.0414, places=4)  # R: binom.test(15, 20)


if __name__ == "__main__":
    torch.set_num_threads(1)
    unittest.main()
