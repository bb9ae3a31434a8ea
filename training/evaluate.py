"""Exact match on held-out episodes from one forward pass.

Greedy decoding reproduces the reference exactly if and only if the arg max, given the reference before it,
is right at every target. So no decoding is needed to know the share of turns the model would get right.
"""

import numpy as np
import torch
import torch.nn.functional as F

from dataset import Episodes


@torch.no_grad()
def evaluate(model, held: Episodes, count: int, rows: int = 8) -> dict:
    """Loss, and percentages: all turns, edit turns, whole episodes, of the first `count` episodes, `rows` at a time."""
    compiled = model.plain()
    turns, edits, whole, loss, targets = [], [], [], 0.0, 0
    device = next(model.parameters()).device
    count = min(count, len(held))
    for start in range(0, count, rows):
        batch = range(start, min(count, start + rows))
        x, y, m = held.rows(batch, model.c.chunk)
        logits = model.logits(model.trunk(torch.from_numpy(x).to(device))[0]).cpu()
        hit, at = (logits.argmax(-1).numpy() == y), torch.from_numpy(m > 0)
        loss += F.cross_entropy(logits[at], torch.from_numpy(y)[at], reduction="sum").item()
        targets += int(at.sum())
        for r in range(len(batch)):
            edges = np.flatnonzero(np.diff(np.concatenate([[0], m[r], [0]])))
            spans = [(a, b) for a, b in zip(edges, edges[1:]) if m[r, a]]
            right = [bool(hit[r, a:b].all()) for a, b in spans]
            turns += right
            edits += [ok for ok, (a, _) in zip(right, spans) if m[r, a] == 2]
            whole.append(all(right))
    model.fns = compiled
    percent = lambda xs: round(100 * sum(xs) / max(1, len(xs)), 1)
    return dict(loss=round(loss / max(1, targets), 4), turn=percent(turns), edit=percent(edits), episode=percent(whole))
