"""AdamW for vectors, embedding and head; Muon for the matrices inside the layers.

Muon orthogonalises each matrix's momentum (Newton-Schulz, five steps), here with the scale of Liu et al. 2025
(arXiv 2502.16982) so that both parts share one learning rate. Experts are matrices of their own.
Source of the iteration's coefficients: Jordan 2024, https://kellerjordan.github.io/posts/muon/.
"""

import torch


def newton_schulz(g: torch.Tensor) -> torch.Tensor:
    """g [n, rows, cols], rows <= cols -> nearly orthogonal rows."""
    x = g.to(torch.bfloat16)
    x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).to(x.dtype)
    for _ in range(5):
        gram = torch.bmm(x, x.transpose(1, 2).contiguous())
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.float()


class Optimizer:
    """Steps all parameters from one flat gradient. `matrices` shares Newton-Schulz out over ranks."""

    def __init__(self, model, muon: bool, decay: float):
        named = list(model.named_parameters())
        inner = [p for n, p in named if muon and p.dim() >= 2 and n.startswith("layers.")
                 and min(p.shape[-2:]) >= 16]
        inside = {id(p) for p in inner}
        rest = [p for _, p in named if id(p) not in inside]
        self.params = [p for _, p in named]
        self.inner, self.decay = inner, decay
        self.momentum = [torch.zeros_like(p) for p in inner]
        self.adam = torch.optim.AdamW(
            [dict(params=[p for p in rest if p.dim() >= 2], weight_decay=decay),
             dict(params=[p for p in rest if p.dim() < 2], weight_decay=0.0)],
            betas=(0.9, 0.98), eps=1e-9, fused=True)
        self.size = sum(p.numel() for p in inner)

    def assign(self, flat: torch.Tensor) -> None:
        """Point every parameter's gradient into `flat`."""
        start = 0
        for p in self.params:
            p.grad = flat[start : start + p.numel()].view_as(p)
            start += p.numel()

    def directions(self, out: torch.Tensor, rank: int, ranks: int) -> None:
        """Write this rank's share of the orthogonal directions into `out` [size]."""
        start = 0
        groups: dict[tuple, list] = {}
        for p, m in zip(self.inner, self.momentum):
            m.lerp_(p.grad, 0.05)
            v = torch.lerp(p.grad, m, 0.95)
            wide = v.view(-1, *v.shape[-2:])
            turn = wide.shape[1] > wide.shape[2]
            wide = wide.transpose(1, 2) if turn else wide
            groups.setdefault(wide.shape[1:], []).append((wide, turn, start, p))
            start += p.numel()
        work = 0
        for shape, items in sorted(groups.items()):
            mine = []
            for item in items:
                mine += [item] * (work % ranks == rank)
                work += 1
            if not mine:
                continue
            done = newton_schulz(torch.cat([wide for wide, *_ in mine]))
            at = 0
            for wide, turn, begin, p in mine:
                part = done[at : at + len(wide)]
                at += len(wide)
                out[begin : begin + p.numel()] = (part.transpose(1, 2) if turn else part).reshape(-1)

    def step(self, lr: float, directions: torch.Tensor) -> None:
        start = 0
        with torch.no_grad():
            for p in self.inner:
                d = directions[start : start + p.numel()].view_as(p)
                start += p.numel()
                p.mul_(1 - lr * self.decay).add_(d, alpha=-lr * 0.2 * max(p.shape[-2:]) ** 0.5)
        for group in self.adam.param_groups:
            group["lr"] = lr
        self.adam.step()

    def state(self) -> dict:
        return {"adam": self.adam.state_dict(), "momentum": self.momentum}

    def restore(self, state: dict) -> None:
        self.adam.load_state_dict(state["adam"])
        self.momentum = state["momentum"]
