"""Checks of expert iteration that need no Node and no data: `python test_expert_iteration.py`, a few seconds.

What becomes a lesson, in which order they are learnt, the gradient's direction, processes that share it, the picture.
"""

import copy
import unittest
import xml.etree.ElementTree

import torch

from curves import draw_learning
from environment import Episode, Segment
from expert_iteration import choose, Learner, lesson, order, steps
from test_reinforce import chances, logprobs, small


class Lessons(unittest.TestCase):
    def episode(self, **done) -> Episode:
        """Three turns; the second was tried twice, and the second try went on."""
        first = Segment([5, 6, 7, 8, 9, 10, 11], [0, 0, 1, 1, 0, 2, 2], [0.0] * 7)
        second = Segment([5, 6, 7, 8, 9, 20, 21, 12, 13, 14], [0, 0, 0, 0, 0, 3, 3, 0, 4, 0], [0.0] * 10)
        outcome = dict(solved=True, finished=True, end="verified", invalid=[], vain=[], dropped=[1], found=[2], red=[])
        return Episode(dict(kind="built", index=7), [first, second], done=outcome | done)

    def row(self, ids: list[int], found: bool = True) -> dict:
        return dict(ids=ids, spans=[[2, len(ids)]], found=found)

    def learner(self, ranks: int = 1) -> Learner:
        return Learner(small(), "cpu", False, ranks)

    def test_are_what_led_to_green_tests_and_nothing_of_what_was_dropped(self):
        self.assertEqual(lesson(self.episode())["rows"], [
            dict(ids=[5, 6, 7, 8], spans=[[2, 4]], found=False),
            dict(ids=[5, 6, 7, 8, 9, 20, 21, 12, 13], spans=[[5, 7], [8, 9]], found=True)])

    def test_leave_out_an_edit_that_stayed_red_and_a_call_that_cannot_be_read(self):
        for how in ("red", "invalid", "vain"):
            self.assertEqual([row["spans"] for row in lesson(self.episode(found=[], **{how: [2]}))["rows"]], [[[2, 4]], [[8, 9]]])

    def test_are_none_where_hidden_tests_fail_or_the_process_was_lost(self):
        self.assertEqual(lesson(self.episode(solved=False))["rows"], [])
        lost = self.episode()
        lost.done = None
        self.assertEqual(lesson(lost), dict(kind="built", index=7, solved=False, end="lost", rows=[]))

    def test_are_of_tasks_that_depend_on_their_number_alone(self):
        mix = dict(built=3.0, one=1.0)
        kinds = [order(1, index, mix)["kind"] for index in range(400)]
        self.assertEqual(kinds, [order(1, index, mix)["kind"] for index in range(400)])
        self.assertAlmostEqual(kinds.count("built") / 400, 0.75, delta=0.07)

    def test_come_with_as_many_anchors_as_are_asked_for_and_once_an_epoch(self):
        lessons = [dict(rows=[self.row([5, 6, 7, at], found=at % 4 == 0)]) for at in range(40)]
        rows = choose(lessons, 1.5, 1)
        self.assertEqual([row["found"] for row in rows].count(True), 10)
        self.assertEqual(len(rows), 25)
        plan = list(steps(rows, 5, 2, 1))
        self.assertEqual(len(plan), 10)
        self.assertEqual(sorted(row["ids"] for step in plan[:5] for row in step), sorted(row["ids"] for row in rows))
        self.assertEqual(plan, list(steps(rows, 5, 2, 1)))

    def test_make_what_was_found_more_probable_than_what_it_stands_for(self):
        model = small()
        model.head.data.div_(20)  # unsure
        learner = Learner(model, "cpu", False)
        found, first = [5, 6, 7, 30, 31, 32], [5, 6, 7, 8, 9, 10]
        gap = lambda: logprobs(learner.model, found)[2, 30].item() - logprobs(learner.model, first)[2, 8].item()
        before = gap()
        for _ in range(5):
            learner.learn([self.row(found)], 1e-3)
        self.assertGreater(gap(), before + 0.5)

    def test_are_examined_by_the_loss_and_by_what_the_model_would_write(self):
        learner = self.learner()
        ids = [5, 6]
        for _ in range(4):
            ids.append(int(logprobs(learner.model, ids)[-1].argmax()))
        wrong = [*ids[:-1], (ids[-1] + 1) % 64]
        told = learner.examine([self.row(ids), self.row(wrong)])
        self.assertEqual((told["rows"], told["alike"]), (2, 1))
        self.assertAlmostEqual(told["loss"], -(sum(chances(learner.model, ids)) + sum(chances(learner.model, wrong))) / 8, places=3)

    def test_are_learnt_alike_by_one_process_and_by_two(self):
        rows = [self.row([5, 6, at, at + 1, at + 2] * (1 + at % 3 * 6)) for at in range(7, 25)]
        alone, together = self.learner(), self.learner(2)
        for learner in (alone, together):
            learner.batch_tokens = 256
        for _ in range(3):
            told = [learner.learn(rows, 1e-3) for learner in (alone, together)]
            self.assertAlmostEqual(told[0]["loss"], told[1]["loss"], places=4)
            self.assertAlmostEqual(told[0]["gradient"], told[1]["gradient"], places=3)
        for name, values in alone.rounded.fine.items():
            torch.testing.assert_close(values, together.rounded.fine[name], atol=5e-4, rtol=0, msg=name)

    def test_are_drawn_one_round_after_the_other(self):
        look = lambda step, alike: dict(examined=step, lessons=dict(rows=20, loss=0.03, alike=alike), others=dict(rows=0, loss=0.0, alike=0))
        svg = draw_learning([[look(0, 0), look(30, 5)], [look(0, 5), look(60, 8)]], [(0, dict(sets=dict(novel=dict(share=0.8, low=0.7, high=0.9)))), (90, dict(sets={}))])
        self.assertIn(">lessons 40.0<", svg)
        self.assertIn(">novel 80.0<", svg)
        self.assertIn(">90<", svg)
        xml.etree.ElementTree.fromstring(svg)

    def test_go_on_where_they_were(self):
        rows, whole, again = [self.row([5, 6, 7, 30, 31])], self.learner(), self.learner()
        whole.learn(rows, 1e-3)
        again.restore(copy.deepcopy(whole.state()))
        self.assertEqual(whole.learn(rows, 1e-3), again.learn(rows, 1e-3))


if __name__ == "__main__":
    torch.set_num_threads(1)
    unittest.main()
