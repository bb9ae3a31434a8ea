"""Fused steps of the block whose plain autograd form is slow on small CPUs.

Each `Function` here has a hand-written backward that a test compares with autograd of the obvious
form (`test_training.py`). Matrix products run in bfloat16 when `use_bf16(True)` was called, with sums in
float32 inside the product; everything else stays float32.
"""

import torch
import torch.nn.functional as F

_dtype = torch.float32


def use_bf16(on: bool) -> None:
    """Twice the matrix throughput on AVX512-BF16 and GPUs. Training only; checks run in float32."""
    global _dtype
    _dtype = torch.bfloat16 if on else torch.float32


def linear(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """x [.., in] @ w [out, in]^T in the matrix type, returned in float32."""
    return F.linear(x.to(_dtype), w.to(_dtype)).float()


def rms_norm(x: torch.Tensor, w: torch.Tensor, eps: float) -> torch.Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * w


class ConvSilu(torch.autograd.Function):
    """Causal depthwise convolution without bias, then SiLU. x [b, t, channels], w [channels, width]."""

    @staticmethod
    def forward(ctx, x, w):
        t, width = x.shape[1], w.shape[1]
        padded, taps = F.pad(x, (0, 0, width - 1, 0)), w.t().contiguous()
        y = padded[:, width - 1 :] * taps[width - 1]
        for j in range(width - 1):
            y.addcmul_(padded[:, j : j + t], taps[j])
        s = torch.sigmoid(y)
        ctx.save_for_backward(padded, taps, y, s)
        return y * s

    @staticmethod
    def backward(ctx, grad):
        padded, taps, y, s = ctx.saved_tensors
        width, t = taps.shape[0], y.shape[1]
        d = _silu_backward(y, s, grad)
        dx, dw = torch.zeros_like(padded), torch.empty_like(taps)
        for j in range(width):
            dx[:, j : j + t].addcmul_(d, taps[j])
            dw[j] = (d * padded[:, j : j + t]).sum((0, 1))
        return dx[:, width - 1 :], dw.t()


def _silu_backward(y, s, grad):
    return grad * s * (1 + y * (1 - s))


class UnitTriangularInverse(torch.autograd.Function):
    """(I + A)^-1 for strictly lower triangular A [n, c, c]."""

    @staticmethod
    def forward(ctx, a):
        eye = torch.eye(a.shape[-1], device=a.device, dtype=a.dtype)
        t = torch.linalg.solve_triangular(a, eye.expand_as(a), upper=False, unitriangular=True)
        ctx.save_for_backward(t)
        return t

    @staticmethod
    def backward(ctx, grad):
        (t,) = ctx.saved_tensors
        tt = t.transpose(1, 2).to(_dtype)
        return -torch.bmm(torch.bmm(tt, grad.to(_dtype)), tt).float().tril(-1)


class CausalAttention(torch.autograd.Function):
    """softmax(q k^T, causal) v. q [g, r*t, d] holds r query heads one after another, scaled; k, v [g, t, d].

    Products with a transposed right side run at a fifth of the speed on CPUs, hence the copies.
    """

    @staticmethod
    def forward(ctx, q, k, v):
        q, k, v = q.to(_dtype), k.to(_dtype), v.to(_dtype)
        p = _causal_softmax(torch.bmm(q, _turned(k)), k.shape[1])
        ctx.save_for_backward(q, k, v, p)
        return torch.bmm(p, v).float()

    @staticmethod
    def backward(ctx, grad):
        q, k, v, p = ctx.saved_tensors
        grad = grad.to(_dtype)
        dv = torch.bmm(p.transpose(1, 2), grad)
        ds = _softmax_backward(p, torch.bmm(grad, _turned(v)))
        return torch.bmm(ds, k).float(), torch.bmm(ds.transpose(1, 2), q).float(), dv.float()


class DecayedProducts(torch.autograd.Function):
    """The two masked products of a DeltaNet chunk.

    kk, qk [b, key heads, n, c, c] are k k^T and q k^T; total [b, value heads, n, c] the running sum of
    log decays; beta likewise. Returns A = strictly_lower(kk * D * beta) and P = lower(qk * D), with
    D_ij = exp(total_i - total_j), per value head (value head h reads key head h // r).
    """

    @staticmethod
    def forward(ctx, kk, qk, total, beta):
        a, p, between = _decayed(kk, qk, total, beta)
        ctx.save_for_backward(kk, qk, between, beta)
        return a, p

    @staticmethod
    def backward(ctx, da, dp):
        kk, qk, between, beta = ctx.saved_tensors
        dkk, dqk, dbetween, dbeta = _decayed_backward(kk, qk, between, beta, da, dp)
        b, hk = kk.shape[:2]
        group = lambda x: x.view(b, hk, -1, *kk.shape[2:]).sum(2)
        return group(dkk), group(dqk), dbetween.sum(-1) - dbetween.sum(-2), dbeta.sum(-1)


class Experts(torch.autograd.Function):
    """Routed SwiGLU experts: sort tokens by expert, one product per expert, gather back.

    x [n, d]; weight, ids [n, k]; gate_up [e, 2f, d] (gate rows first); down [e, d, f] -> [n, d].
    """

    @staticmethod
    def forward(ctx, x, weight, ids, gate_up, down):
        n, k = ids.shape
        f = down.shape[2]
        flat = ids.reshape(-1)
        order = torch.argsort(flat, stable=True)
        inverse = torch.empty_like(order)
        inverse[order] = torch.arange(n * k, device=x.device)
        counts = torch.bincount(flat, minlength=gate_up.shape[0]).tolist()
        wg, wd = gate_up, down  # float32: products this small are slower in bfloat16 on a CPU
        xs = x[order // k]
        gu = xs.new_empty(n * k, 2 * f)
        for e, a, b in _spans(counts):
            torch.mm(xs[a:b], wg[e].t(), out=gu[a:b])
        h = _swiglu(gu)
        y = xs.new_empty(n * k, x.shape[1])
        for e, a, b in _spans(counts):
            torch.mm(h[a:b], wd[e].t(), out=y[a:b])
        yk = y[inverse].view(n, k, -1)
        ctx.save_for_backward(xs, weight, gu, h, yk, wg, wd, order, inverse)
        ctx.counts = counts
        return _weighted_sum(yk, weight)

    @staticmethod
    def backward(ctx, grad):
        xs, weight, gu, h, yk, wg, wd, order, inverse = ctx.saved_tensors
        n, k = weight.shape
        dweight, dyk = _weighted_sum_backward(grad, yk, weight)
        dy = dyk.view(n * k, -1)[order]
        dh = torch.empty_like(h)
        dwd, dwg = torch.zeros_like(wd), torch.zeros_like(wg)
        for e, a, b in _spans(ctx.counts):
            torch.mm(dy[a:b], wd[e], out=dh[a:b])
            torch.mm(dy[a:b].t(), h[a:b], out=dwd[e])
        dgu = _swiglu_backward(gu, dh)
        dxs = torch.empty_like(xs)
        for e, a, b in _spans(ctx.counts):
            torch.mm(dgu[a:b], wg[e], out=dxs[a:b])
            torch.mm(dgu[a:b].t(), xs[a:b], out=dwg[e])
        dx = dxs[inverse].view(n, k, -1).sum(1)
        return dx, dweight, None, dwg, dwd


def conv_silu(x, w):
    """What `ConvSilu` computes, for a compiler to fuse."""
    t, width = x.shape[1], w.shape[1]
    padded = F.pad(x, (0, 0, width - 1, 0))
    return F.silu(sum(padded[:, j : j + t] * w[:, j] for j in range(width)))


def causal_attention(q, k, v):
    """What `CausalAttention` computes, by PyTorch's fused kernel: the scores never reach memory."""
    g, t, d = k.shape
    q, k, v = (part.to(_dtype).view(g, -1, t, d) for part in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0, enable_gqa=True).reshape(g, -1, d).float()


def all_experts(x, weight, ids, gate_up, down):
    """What `Experts` computes, by every expert for every token, weighted by zero where it was not chosen.

    Eight times the arithmetic at 2 of 16 experts, but two large products in place of a sort, a wait for the
    counts and six small products an expert: the better bargain on a GPU, whose arithmetic is idle at these widths.
    """
    e, d, f = down.shape
    share = torch.zeros(x.shape[0], e, device=x.device).scatter(1, ids, weight)
    gate, up = F.linear(x.to(_dtype), gate_up.reshape(-1, d).to(_dtype)).view(-1, e, 2, f).float().unbind(2)
    h = (F.silu(gate) * up * share.unsqueeze(-1)).to(_dtype).view(-1, e * f)
    return F.linear(h, down.transpose(0, 1).reshape(d, e * f).to(_dtype)).float()


def _turned(x):
    return x.transpose(1, 2).contiguous()


def _causal_softmax(scores, t):
    row = torch.arange(t, device=scores.device)
    seen = row[:, None] >= row[None, :]
    s = scores.float().view(scores.shape[0], -1, t, t)
    return torch.where(seen, s, -1e30).softmax(-1).view_as(scores).to(scores.dtype)


def _softmax_backward(p, dp):
    p, dp = p.float(), dp.float()
    return (p * (dp - (p * dp).sum(-1, keepdim=True))).to(_dtype)


def _decayed(kk, qk, total, beta):
    r = beta.shape[1] // kk.shape[1]
    row = torch.arange(kk.shape[-1], device=kk.device)
    gap = total.unsqueeze(-1) - total.unsqueeze(-2)
    between = torch.exp(torch.where(row[:, None] >= row[None, :], gap, -1e30))
    strict = row[:, None] > row[None, :]
    a = torch.where(strict, kk.repeat_interleave(r, 1) * between * beta.unsqueeze(-1), 0.0)
    return a, qk.repeat_interleave(r, 1) * between, between


def _decayed_backward(kk, qk, between, beta, da, dp):
    r = beta.shape[1] // kk.shape[1]
    row = torch.arange(kk.shape[-1], device=kk.device)
    kk, qk, beta = kk.repeat_interleave(r, 1), qk.repeat_interleave(r, 1), beta.unsqueeze(-1)
    da = torch.where(row[:, None] > row[None, :], da, 0.0) * between
    dp = dp * between
    dab = da * beta
    return dab, dp, dab * kk + dp * qk, da * kk


def _spans(counts):
    start = 0
    for expert, count in enumerate(counts):
        if count:
            yield expert, start, start + count
        start += count


def _swiglu(gu):
    gate, up = gu.chunk(2, -1)
    return (F.silu(gate.float()) * up.float()).to(gu.dtype)


def _swiglu_backward(gu, dh):
    gate, up = gu.float().chunk(2, -1)
    s = torch.sigmoid(gate)
    d = dh.float()
    return torch.cat([d * up * s * (1 + gate * (1 - s)), d * gate * s], -1).to(gu.dtype)


def _weighted_sum(yk, weight):
    return (yk.float() * weight.unsqueeze(-1)).sum(1)


def _weighted_sum_backward(grad, yk, weight):
    dweight = (yk.float() * grad.unsqueeze(1)).sum(-1)
    return dweight, (grad.unsqueeze(1) * weight.unsqueeze(-1)).to(yk.dtype)


_FUSED = ("_silu_backward", "_causal_softmax", "_softmax_backward", "_decayed", "_decayed_backward",
          "_swiglu", "_swiglu_backward", "_weighted_sum", "_weighted_sum_backward")
_compiled = False


def compile_pointwise() -> None:
    """Let the compiler fuse the elementwise parts of the functions above (once per process)."""
    global _compiled
    if not _compiled:
        _compiled = True
        globals().update({name: torch.compile(globals()[name], dynamic=True) for name in _FUSED})
