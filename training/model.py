"""Qwen3-Next, exactly as the engine runs it, in a form that trains fast on few cores.

Parameters follow the published checkpoint's conventions (zero-centred norms, `in_proj_qkvz` and
`in_proj_ba` grouped per key head, `A_log`), so that `export.py` makes the real conversion.
Gated DeltaNet runs in chunks; `sequential_deltanet` in `test_training.py` is its definition.
The heavy elementwise parts are free functions so that `Model.compile()` can fuse them.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from config import Config
from ops import (CausalAttention, ConvSilu, DecayedProducts, Experts, UnitTriangularInverse, all_experts, causal_attention,
                 compile_pointwise, conv_silu, linear, rms_norm)
import ops


def matrix(rows: int, cols: int, std: float | None = None) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, cols) * (std or 1 / math.sqrt(cols)))


def deltanet_projections(x, norm, qkvz, ba, c: Config):
    """x [b, t, hidden] -> q, k, v before their convolution [b, t, wide], z [b, t, values], gates [b, t, 2 heads]."""
    h = rms_norm(x, 1 + norm, c.eps)
    values = c.v_heads * c.gdn_dim
    mixed, z = linear(h, qkvz).split([qkvz.shape[0] - values, values], -1)
    return mixed.contiguous(), z, F.linear(h, ba)


def deltanet_chunks(y, gates, a_log, dt_bias, c: Config):
    """Everything before the recurrence. y [b, t, wide] after convolution, t a multiple of `chunk`.

    Returns [b, heads, chunks, ..] with G the running sum of log decays in a chunk: k k^T and q k^T per
    key head; per value head G, beta, [v*beta | k*beta*e^G], q*e^G, (k*e^(G_last-G))^T, e^G_last.
    """
    b, t, _ = y.shape
    hk, hv, d, n = c.k_heads, c.v_heads, c.gdn_dim, t // c.chunk
    r = hv // hk
    q, k, v = y.split([hk * d, hk * d, hv * d], -1)

    def chunks(part, heads):  # [b, t, heads*d] -> [b, heads, n, chunk, d]
        return part.reshape(b, n, c.chunk, heads, d).permute(0, 3, 1, 2, 4)

    q, k, v = chunks(q, hk), chunks(k, hk), chunks(v, hv)
    q = q * (torch.rsqrt(q.square().sum(-1, keepdim=True) + c.eps) * d**-0.5)
    k = k * torch.rsqrt(k.square().sum(-1, keepdim=True) + c.eps)
    beta = torch.sigmoid(gates[..., :hv])
    decay = -torch.exp(a_log) * F.softplus(gates[..., hv:] + dt_bias)
    beta, decay = (g.reshape(b, n, c.chunk, hv).permute(0, 3, 1, 2) for g in (beta, decay))
    total = decay.cumsum(-1)
    kt = k.to(ops._dtype).transpose(-1, -2)
    kk, qk = torch.matmul(k.to(ops._dtype), kt).float(), torch.matmul(q.to(ops._dtype), kt).float()
    k, q = k.repeat_interleave(r, 1), q.repeat_interleave(r, 1)  # v-head h reads k-head h // r
    grown, last = torch.exp(total).unsqueeze(-1), total[..., -1:]
    vk = torch.cat([v * beta.unsqueeze(-1), k * (beta.unsqueeze(-1) * grown)], -1)
    k_end = (k * torch.exp(last - total).unsqueeze(-1)).transpose(-1, -2)
    return kk, qk, total, beta, vk, q * grown, k_end, torch.exp(last).unsqueeze(-1)


def deltanet_scan(kk, qk, total, beta, vk, q, k_end, decay, c: Config):
    """The recurrence over chunks. Returns [b, t, heads, d]."""
    a, p = DecayedProducts.apply(kk, qk, total, beta)
    b, hv, n, chunk, d = q.shape
    t = UnitTriangularInverse.apply(a.reshape(-1, chunk, chunk))
    u, w = torch.bmm(t, vk.reshape(-1, chunk, 2 * d)).view(b, hv, n, chunk, 2 * d).split(d, -1)
    wq = torch.cat([w, q], -2)
    split = lambda x: x.reshape(b * hv, n, *x.shape[3:]).transpose(0, 1).unbind(0)
    u, wq, p, k_end, decay = split(u), split(wq), split(p), split(k_end), split(decay)
    state, outs = None, []
    for i in range(n):
        if state is None:
            new = u[i]
            outs.append(torch.bmm(p[i], new))
        else:
            read = torch.bmm(wq[i], state)
            new = u[i] - read[:, :chunk]
            outs.append(torch.baddbmm(read[:, chunk:], p[i], new))
        if i < n - 1:
            state = torch.bmm(k_end[i], new) if state is None else torch.baddbmm(state * decay[i], k_end[i], new)
    return torch.stack(outs, 1).view(b, hv, n * chunk, d).transpose(1, 2)


def deltanet_output(x, o, z, norm, out_proj, c: Config):
    b, t, hv, d = o.shape
    gated = rms_norm(o, norm, c.eps) * F.silu(z.view(b, t, hv, d))
    return x + linear(gated.reshape(b, t, hv * d), out_proj)


def attention_inputs(x, norm, wq, wk, wv, q_norm, k_norm, cos, sin, c: Config):
    """Scaled queries [b*kv heads, r*t, d], keys and values [b*kv heads, t, d], and the output gate."""
    b, t, _ = x.shape
    hq, hk, d = c.heads, c.kv_heads, c.head_dim
    h = rms_norm(x, 1 + norm, c.eps)
    q, gate = linear(h, wq).view(b, t, hq, 2 * d).split(d, -1)
    k, v = linear(h, wk).view(b, t, hk, d), linear(h, wv).view(b, t, hk, d)
    q = rope(rms_norm(q, 1 + q_norm, c.eps), cos, sin, c.rope_dim) * d**-0.5
    k = rope(rms_norm(k, 1 + k_norm, c.eps), cos, sin, c.rope_dim)
    q = q.view(b, t, hk, hq // hk, d).permute(0, 2, 3, 1, 4).reshape(b * hk, -1, d)
    k, v = (part.transpose(1, 2).reshape(b * hk, t, d) for part in (k, v))
    return q, k, v, gate


def attention_output(x, o, gate, wo, c: Config):
    b, t, _ = x.shape
    o = o.view(b, c.kv_heads, -1, t, c.head_dim).permute(0, 3, 1, 2, 4).reshape(b, t, c.heads, c.head_dim)
    return x + linear((o * torch.sigmoid(gate)).reshape(b, t, -1), wo)


def rope(x, cos, sin, dims):
    """Rotate-half over the first `dims` of each head. x [b, t, heads, d]; cos, sin [t, dims]."""
    a, rest = x[..., :dims], x[..., dims:]
    turned = torch.cat([-a[..., dims // 2 :], a[..., : dims // 2]], -1)
    return torch.cat([a * cos.unsqueeze(1) + turned * sin.unsqueeze(1), rest], -1)


def route(x, norm, router, shared_gate_up, shared_down, shared_gate, c: Config):
    """Norm, routing and the shared expert. Returns (x + shared, normed rows, weights, ids, aux)."""
    h = rms_norm(x, 1 + norm, c.eps).view(-1, c.hidden)
    probs = F.linear(h, router).softmax(-1)
    weight, ids = probs.topk(c.top_k, -1)
    weight = weight / weight.sum(-1, keepdim=True)
    gate, up = linear(h, shared_gate_up).chunk(2, -1)
    shared = linear(F.silu(gate) * up, shared_down) * torch.sigmoid(F.linear(h, shared_gate))
    return x + shared.view_as(x), h, weight, ids, probs.mean(0)


class Layer(nn.Module):
    def __init__(self, c: Config, index: int):
        super().__init__()
        self.c, self.attn = c, c.is_attention(index)
        d, out_std = c.hidden, lambda fan: 0.5 / math.sqrt(fan * c.layers)
        self.norm_mix, self.norm_moe = nn.Parameter(torch.zeros(d)), nn.Parameter(torch.zeros(d))
        if self.attn:
            wide = c.heads * c.head_dim
            self.q_proj, self.o_proj = matrix(2 * wide, d), matrix(d, wide, out_std(wide))
            self.k_proj, self.v_proj = matrix(c.kv_heads * c.head_dim, d), matrix(c.kv_heads * c.head_dim, d)
            self.q_norm, self.k_norm = nn.Parameter(torch.zeros(c.head_dim)), nn.Parameter(torch.zeros(c.head_dim))
        else:
            keys, values = c.k_heads * c.gdn_dim, c.v_heads * c.gdn_dim
            self.in_proj_qkvz, self.in_proj_ba = matrix(2 * keys + 2 * values, d), matrix(2 * c.v_heads, d)
            self.conv1d = nn.Parameter(torch.randn(2 * keys + values, c.conv) * 0.3)
            self.A_log = nn.Parameter(torch.log(torch.empty(c.v_heads).uniform_(1, 8)))
            dt = torch.exp(torch.empty(c.v_heads).uniform_(math.log(1e-3), math.log(1e-1)))
            self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))  # inverse softplus
            self.gdn_norm = nn.Parameter(torch.ones(c.gdn_dim))
            self.out_proj = matrix(d, values, out_std(values))
            rows, ba_rows = grouped_rows(c)
            self.register_buffer("rows", rows, persistent=False)
            self.register_buffer("ba_rows", ba_rows, persistent=False)
        self.router = matrix(c.experts, d, 0.02)
        self.gate_up = nn.Parameter(torch.randn(c.experts, 2 * c.expert_ff, d) / math.sqrt(d))
        self.down = nn.Parameter(torch.randn(c.experts, d, c.expert_ff) * out_std(c.expert_ff))
        self.shared_gate_up, self.shared_down = matrix(2 * c.shared_ff, d), matrix(d, c.shared_ff, out_std(c.shared_ff))
        self.shared_gate = matrix(1, d, 0.02)

    def forward(self, x, cos, sin, fns):
        c = self.c
        if self.attn:
            q, k, v, gate = fns["attention_inputs"](x, self.norm_mix, self.q_proj, self.k_proj, self.v_proj,
                                                    self.q_norm, self.k_norm, cos, sin, c)
            x = fns["attention_output"](x, fns["causal_attention"](q, k, v), gate, self.o_proj, c)
        else:
            mixed, z, gates = fns["deltanet_projections"](x, self.norm_mix, self.in_proj_qkvz[self.rows],
                                                          self.in_proj_ba[self.ba_rows], c)
            y = fns["conv_silu"](mixed, self.conv1d)
            o = deltanet_scan(*fns["deltanet_chunks"](y, gates, self.A_log, self.dt_bias, c), c)
            x = fns["deltanet_output"](x, o, z, self.gdn_norm, self.out_proj, c)
        x, h, weight, ids, mean = fns["route"](x, self.norm_moe, self.router, self.shared_gate_up,
                                               self.shared_down, self.shared_gate, c)
        load = torch.zeros_like(mean).index_add_(0, ids.reshape(-1), torch.ones_like(ids.reshape(-1), dtype=mean.dtype)) / ids.numel()
        x = x + fns["experts"](h, weight, ids, self.gate_up, self.down).view_as(x)
        return x, c.experts * (load * mean).sum(), load


def grouped_rows(c: Config):
    """Row orders from the checkpoint's per-key-head grouping to [q|k|v|z] and [b|a]."""
    d, r = c.gdn_dim, c.v_heads // c.k_heads
    group = torch.arange(c.k_heads * (2 + 2 * r) * d).view(c.k_heads, -1)
    rows = torch.cat([part.reshape(-1) for part in group.split([d, d, r * d, r * d], 1)])
    ba = torch.arange(2 * c.v_heads).view(c.k_heads, 2, r).transpose(0, 1).reshape(-1)
    return rows, ba


# What `Layer.forward` is put together from, as it runs on a CPU and as it runs on a GPU.
CPU = dict(deltanet_projections=deltanet_projections, conv_silu=ConvSilu.apply, deltanet_chunks=deltanet_chunks,
           deltanet_output=deltanet_output, attention_inputs=attention_inputs, causal_attention=CausalAttention.apply,
           attention_output=attention_output, route=route, experts=Experts.apply)
GPU = dict(CPU, conv_silu=conv_silu, causal_attention=causal_attention, experts=all_experts)

# Not `deltanet_chunks` on a CPU: its compiler's backward of it is slower than the plain one (torch 2.13: a
# step of eight rows of 320 took 438 ms with it and 330 without).
FUSED = ("deltanet_projections", "deltanet_output", "attention_inputs", "attention_output", "route")
FUSED_ON_GPU = (*FUSED, "conv_silu", "deltanet_chunks", "experts")


class Model(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.embed, self.head = matrix(c.vocab, c.hidden, 0.1), matrix(c.vocab, c.hidden, 0.02)
        self.layers = nn.ModuleList(Layer(c, i) for i in range(c.layers))
        self.norm_out = nn.Parameter(torch.zeros(c.hidden))
        inverse = c.theta ** (-torch.arange(0, c.rope_dim, 2).float() / c.rope_dim)
        angle = torch.outer(torch.arange(c.context).float(), inverse).repeat(1, 2)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        self.fns = CPU

    def compile(self) -> None:
        """Fuse the elementwise parts of training. A minute once; the compiler's cache serves later runs."""
        self.fns = {**CPU, **{name: torch.compile(CPU[name], dynamic=True) for name in FUSED}}
        compile_pointwise()

    def use_gpu_forms(self, compiled: bool) -> None:
        """Run the steps as they suit a GPU; a test holds them against those of a CPU."""
        self.fns = {**GPU, **{name: torch.compile(GPU[name], dynamic=True) for name in FUSED_ON_GPU if compiled}}
        if compiled:
            compile_pointwise()

    def plain(self) -> dict:
        """Leave the compiled functions, for a pass whose graph is not worth compiling; returns them."""
        compiled, self.fns = self.fns, GPU if self.embed.is_cuda else CPU
        return compiled

    def trunk(self, ids):
        """ids [b, t], t a multiple of `chunk` -> hidden states, balance loss, largest expert share."""
        x, t = F.embedding(ids, self.embed), ids.shape[1]
        cos, sin = self.cos[:t], self.sin[:t]
        balance, share = 0.0, []
        for layer in self.layers:
            x, aux, load = layer(x, cos, sin, self.fns)
            balance = balance + aux
            share.append(load.max())
        return x, balance, torch.stack(share).max().detach()

    def logits(self, x):
        return linear(rms_norm(x, 1 + self.norm_out, self.c.eps), self.head)

    def counts(self):
        """(all parameters, parameters one token uses)."""
        total = sum(p.numel() for p in self.parameters())
        routed = sum(l.gate_up.numel() + l.down.numel() for l in self.layers)
        return total, int(total - routed + routed * self.c.top_k / self.c.experts)
