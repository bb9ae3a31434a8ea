"""Checks of the training code that need no data: `python test_training.py`, a few seconds.

Every hand-written gradient against autograd of the obvious form, the chunked DeltaNet against its
recurrence, the template against the renderer, the file format against itself.
"""

import tempfile
import unittest
from collections import Counter
from pathlib import Path

import jinja2
import numpy as np
import torch
import torch.nn.functional as F

import gguf
import model as model_file
import ops
from config import preset
from dataset import encode, render, taken_back
from tokenizer import ADDED, WORD, train


def sequential_deltanet(layer, x):
    """The recurrence of Gated DeltaNet as the paper and the engine have it, one token at a time."""
    c = layer.c
    b, t, _ = x.shape
    hk, hv, d = c.k_heads, c.v_heads, c.gdn_dim
    r = hv // hk
    h = ops.rms_norm(x, 1 + layer.norm_mix, c.eps)
    q, k, v, z = F.linear(h, layer.in_proj_qkvz).view(b, t, hk, -1).split([d, d, r * d, r * d], -1)
    beta, alpha = (g.reshape(b, t, hv) for g in F.linear(h, layer.in_proj_ba).view(b, t, hk, 2 * r).split(r, -1))
    mixed = torch.cat([part.reshape(b, t, -1) for part in (q, k, v)], -1)
    padded = F.pad(mixed.transpose(1, 2), (c.conv - 1, 0))
    y = F.silu(F.conv1d(padded, layer.conv1d.unsqueeze(1), groups=mixed.shape[-1])).transpose(1, 2)
    q, k, v = (part.view(b, t, -1, d) for part in y.split([hk * d, hk * d, hv * d], -1))
    unit = lambda p: p * torch.rsqrt(p.square().sum(-1, keepdim=True) + c.eps)
    q, k = unit(q).repeat_interleave(r, 2) * d**-0.5, unit(k).repeat_interleave(r, 2)
    decay = torch.exp(-torch.exp(layer.A_log) * F.softplus(alpha + layer.dt_bias))
    state, outs = torch.zeros(b, hv, d, d), []
    for i in range(t):
        state = state * decay[:, i, :, None, None]
        read = torch.einsum("bhkv,bhk->bhv", state, k[:, i])
        state = state + torch.einsum("bhk,bhv->bhkv", k[:, i], torch.sigmoid(beta[:, i])[..., None] * (v[:, i] - read))
        outs.append(torch.einsum("bhkv,bhk->bhv", state, q[:, i]))
    o = ops.rms_norm(torch.stack(outs, 1), layer.gdn_norm, c.eps) * F.silu(z.reshape(b, t, hv, d))
    return x + F.linear(o.reshape(b, t, -1), layer.out_proj)


def gradients(function, inputs):
    """Outputs and the gradients of a fixed random weighting of them."""
    leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
    outs = function(*leaves)
    outs = outs if isinstance(outs, tuple) else (outs,)
    torch.manual_seed(7)
    sum((out * torch.randn(out.shape)).sum() for out in outs).backward()
    return [out.detach() for out in outs], [leaf.grad for leaf in leaves if leaf.requires_grad]


class Gradients(unittest.TestCase):
    """Tolerance: float32 sums in another order; errors of 1e-6 seen."""

    def same(self, fast, plain, *inputs):
        for mine, theirs in zip(*(sum(gradients(f, inputs), []) for f in (fast, plain))):
            torch.testing.assert_close(mine, theirs, atol=2e-4, rtol=2e-4)

    def test_convolution(self):
        def plain(x, w):
            padded = F.pad(x.transpose(1, 2), (w.shape[1] - 1, 0))
            return F.silu(F.conv1d(padded, w.unsqueeze(1), groups=w.shape[0])).transpose(1, 2)
        self.same(ops.ConvSilu.apply, plain, torch.randn(2, 9, 6), torch.randn(6, 4))

    def test_triangular_inverse(self):
        plain = lambda a: torch.linalg.inv(torch.eye(8) + a.tril(-1))
        self.same(ops.UnitTriangularInverse.apply, plain, torch.randn(3, 8, 8).tril(-1) * 0.3)

    def test_causal_attention(self):
        def plain(q, k, v):
            scores = (q @ k.transpose(1, 2)).view(2, 3, 5, 5)
            scores = scores.masked_fill(torch.ones(5, 5).triu(1).bool(), -torch.inf)
            return scores.softmax(-1).view(2, 15, 5) @ v
        self.same(ops.CausalAttention.apply, plain, torch.randn(2, 15, 4), torch.randn(2, 5, 4), torch.randn(2, 5, 4))

    def test_decayed_products(self):
        def plain(kk, qk, total, beta):
            kk, qk = kk.repeat_interleave(2, 1), qk.repeat_interleave(2, 1)
            between = torch.exp((total.unsqueeze(-1) - total.unsqueeze(-2)).tril()).tril()
            return (kk * between * beta.unsqueeze(-1)).tril(-1), qk * between
        total = -torch.rand(2, 4, 3, 6).cumsum(-1)
        self.same(ops.DecayedProducts.apply, plain,
                  torch.randn(2, 2, 3, 6, 6), torch.randn(2, 2, 3, 6, 6), total, torch.rand(2, 4, 3, 6))

    def test_experts(self):
        ids = torch.tensor([[0, 2], [1, 0], [2, 1], [0, 1], [2, 0]])  # of four, one is never chosen

        def plain(x, weight, gate_up, down):
            rows = []
            for n in range(len(x)):
                row = 0
                for j, e in enumerate(ids[n]):
                    gate, up = (gate_up[e] @ x[n]).chunk(2)
                    row = row + weight[n, j] * (down[e] @ (F.silu(gate) * up))
                rows.append(row)
            return torch.stack(rows)
        fast = lambda x, weight, gate_up, down: ops.Experts.apply(x, weight, ids, gate_up, down)
        self.same(fast, plain, torch.randn(5, 6), torch.rand(5, 2), torch.randn(4, 8, 6), torch.randn(4, 6, 4))

    def test_the_forms_for_a_gpu(self):
        self.same(ops.conv_silu, ops.ConvSilu.apply, torch.randn(2, 9, 6), torch.randn(6, 4))
        q, k, v = torch.randn(2, 15, 4), torch.randn(2, 5, 4), torch.randn(2, 5, 4)
        self.same(ops.causal_attention, ops.CausalAttention.apply, q, k, v)
        ids = torch.tensor([[0, 2], [1, 0], [2, 1], [0, 1], [2, 0]])
        forms = [lambda x, w, gu, d, f=f: f(x, w, ids, gu, d) for f in (ops.all_experts, ops.Experts.apply)]
        self.same(*forms, torch.randn(5, 6), torch.rand(5, 2), torch.randn(4, 8, 6), torch.randn(4, 6, 4))


class Layers(unittest.TestCase):
    def test_chunks_equal_the_recurrence(self):
        torch.manual_seed(1)
        c = preset("micro", chunk=16)
        layer = model_file.Layer(c, 0)
        x = torch.randn(2, 48, c.hidden)
        mixed, z, gates = model_file.deltanet_projections(
            x, layer.norm_mix, layer.in_proj_qkvz[layer.rows], layer.in_proj_ba[layer.ba_rows], c)
        y = ops.ConvSilu.apply(mixed, layer.conv1d)
        o = model_file.deltanet_scan(*model_file.deltanet_chunks(y, gates, layer.A_log, layer.dt_bias, c), c)
        fast = model_file.deltanet_output(x, o, z, layer.gdn_norm, layer.out_proj, c)
        torch.testing.assert_close(fast, sequential_deltanet(layer, x), atol=1e-5, rtol=1e-5)

    def test_a_token_sees_only_what_is_before_it(self):
        model = model_file.Model(preset("micro"))
        ids = torch.randint(0, 1024, (1, 128))
        other = ids.clone()
        other[0, 100:] = 5
        with torch.no_grad():
            a, b = (model.logits(model.trunk(row)[0])[0, :100] for row in (ids, other))
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


EPISODE = {"id": "e", "kind": "recover", "family": "f", "tools": True, "messages": [
    {"role": "user", "content": "Fix <tool_call> it"},
    {"role": "assistant", "content": "<tool_call>\n<function=edit>\n</function>\n</tool_call>", "skip": True},
    {"role": "tool", "content": "old_string was not found in src/a.js."},
    {"role": "assistant", "content": "<tool_call>\n<function=edit>\nx\n</function>\n</tool_call>"},
    {"role": "tool", "content": "Edited src/a.js."},
    {"role": "tool", "content": "a second result"},
    {"role": "assistant", "content": "Done."},
]}


class Data(unittest.TestCase):
    tokenizer = train(Counter(w for m in EPISODE["messages"] * 30 for w in WORD.findall(m["content"])), 300)

    def test_the_template_renders_what_the_trainer_does(self):
        text = (Path(__file__).parent / "template.jinja").read_text().rstrip("\n")
        template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).from_string(text)
        system = {"role": "system", "content": "left out"}
        for tools in ([], [{"name": "edit"}]):
            for generate in (False, True):
                mine = "".join(t for t, _ in render(EPISODE["messages"], bool(tools), generate))
                theirs = template.render(messages=[system, *EPISODE["messages"]], tools=tools, add_generation_prompt=generate)
                self.assertEqual(mine, theirs)

    def test_mistakes_are_not_learned(self):
        self.assertEqual(taken_back(EPISODE["messages"]), {1})
        red = {"role": "tool", "content": "exit code 1: 0 passed, 1 failed\nFAIL test/a.test.js:6 a()"}
        edit = EPISODE["messages"][3]
        run = {"role": "assistant", "content": "npm test"}
        self.assertEqual(taken_back([run, red, edit, EPISODE["messages"][4], run, red]), {2})

    def test_a_text_comes_back_from_its_ids(self):
        text = "".join(t for t, _ in render(EPISODE["messages"], True))
        self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text)), text)
        self.assertFalse(set(self.tokenizer.encode_plain(text)) & {self.tokenizer.ids[name] for name in ADDED})

    def test_the_mask_holds_the_models_own_words(self):
        ids, mask = encode(self.tokenizer, EPISODE)
        own = self.tokenizer.decode([i for i, m in zip(ids, mask) if m])
        self.assertEqual(own, EPISODE["messages"][3]["content"] + "<|im_end|>Done.<|im_end|>")
        self.assertEqual(set(mask), {0, 1, 2})


class File(unittest.TestCase):
    def test_what_is_written_can_be_read(self):
        values = np.random.RandomState(3).randn(4, 64).astype(np.float32)
        metadata = {"a": "text", "b": 3, "c": 0.5, "d": True, "e": ["x", "y"], "f": [1, -2]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.gguf"
            size = gguf.write(path, metadata, [("exact", values, gguf.F32), ("rounded", values, gguf.Q8_0)])
            self.assertEqual(size, path.stat().st_size)
            read, tensors = gguf.read(path)
        self.assertEqual(read, metadata)
        self.assertTrue((tensors[0][1] == values).all())
        scale = np.abs(values.reshape(-1, 32)).max(1).repeat(32).reshape(values.shape) / 127
        self.assertTrue((np.abs(tensors[1][1] - values) <= scale * 0.51 + 1e-3).all())


if __name__ == "__main__":
    unittest.main()
