"""`Decoder` for a CPU: a step takes the tokens that there are, one of each sequence that writes, many of one that reads.

The matrix products are PyTorch's, over all tokens of a step; what runs along a sequence is `decode_cpu.cpp`, compiled on
first use. Sequences that are the same so far, as the rollouts of one task are until their first difference, are read once:
one slot reads, the others copy what it holds. Four to five times as fast as the plain steps on a core with AVX2.
"""

import ctypes
import os
import subprocess
from pathlib import Path

import torch
import torch.nn.functional as F

from config import Config
from decode import Choice, Decoder, STEPS
from model import rope
from ops import Experts, rms_norm

HERE = Path(__file__).parent
READ = 48  # tokens of one sequence that a step reads at most
STEP_TOKENS = 768  # and of all together


def library() -> ctypes.CDLL:
    source, built = HERE / "decode_cpu.cpp", HERE / "out/decode_cpu.so"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        built.parent.mkdir(exist_ok=True)
        part = built.with_suffix(f".{os.getpid()}")
        subprocess.run([os.environ.get("CXX", "g++"), "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "-o", part, source], check=True)
        part.replace(built)
    return ctypes.CDLL(str(built))


def suits(c: Config, device: str) -> bool:
    """The compiled part is written for these widths."""
    return device == "cpu" and c.gdn_dim == 64 and c.head_dim == 64 and c.kv_heads == 1 and c.heads % 4 == 0


class CpuDecoder(Decoder):
    rewinds = True

    def __init__(self, c: Config, slots: int, context: int, device: str, ends: list[int]):
        super().__init__(c, slots, context, device, ends)
        self.lib = library()
        for i in self.keys:  # transposed: a score is a sum over D of whole rows
            self.keys[i] = torch.zeros(slots, c.head_dim, context)
            self.values[i] = torch.zeros(slots, context, c.head_dim)
        self.known: list[list[int]] = [[] for _ in range(slots)]  # the whole sequence of each slot
        self.read = [0] * slots  # how much of it was read
        self.goal = [0] * slots  # where its turn's prompt ends
        self.written = [0] * slots
        self.most_of = [0] * slots
        self.is_live = [False] * slots
        self.leader: dict[tuple[int, ...], int] = {}  # who reads a prompt
        self.followers: dict[int, list[int]] = {}
        self.before = {name: [torch.zeros_like(state[i][: state[i].shape[0] // slots]) for _ in range(slots)] for i in self.state for name, state in ((("state", i), self.state), (("conv", i), self.conv))}  # what each slot held when all of a prompt but its last token was read
        self.shared = 0  # tokens that were not read, for being the same
        self.end_ids = set(ends)

    def begin(self, slot_ids: dict[int, tuple[list[int], int, int, Choice]]) -> None:
        super().begin(slot_ids)
        for slot, (ids, start, most, _) in slot_ids.items():
            if 0 < start < self.read[slot]:
                self._hold(slot, back=True)
            self.known[slot] = self.known[slot][:start] + ids
            self.read[slot], self.goal[slot], self.written[slot] = start, len(self.known[slot]), 0
            self.most_of[slot], self.is_live[slot] = most, True
            key = tuple(self.known[slot])
            leader = self.leader.get(key)
            if leader is None:
                if len(ids) > 8:
                    self.leader[key], self.followers[slot] = slot, []
            else:
                self.followers[leader].append(slot)
                self.is_live[slot] = False  # until the leader has read
        self.live.copy_(torch.tensor(self.is_live))

    def _hold(self, slot: int, back: bool) -> None:
        """Notes what runs along the sequence, or puts it back; keys and values stay where they are."""
        for (name, i), kept in self.before.items():
            states = self.state[i] if name == "state" else self.conv[i]
            size = len(kept[slot])
            now = states[slot * size : (slot + 1) * size]
            now.copy_(kept[slot]) if back else kept[slot].copy_(now)

    def _hand_on(self, leader: int) -> None:
        """The prompt but for its last token is read: who waits for it copies, and reads that token by itself."""
        key = tuple(self.known[leader][: self.goal[leader]])
        if self.leader.get(key) == leader:
            del self.leader[key]
        heads, n = self.c.v_heads, self.read[leader]
        for slot in self.followers.pop(leader, []):
            for i in self.state:
                self.state[i][slot * heads : (slot + 1) * heads] = self.state[i][leader * heads : (leader + 1) * heads]
                self.conv[i][slot] = self.conv[i][leader]
            for i in self.keys:
                self.keys[i][slot, :, :n] = self.keys[i][leader, :, :n]
                self.values[i][slot, :n] = self.values[i][leader, :n]
            self.shared += n - self.read[slot]
            self.read[slot], self.is_live[slot] = n, True

    @torch.no_grad()
    def run(self, longest: int) -> None:
        self.chosen.fill_(-1)
        for j in range(STEPS):
            self._ragged(j)
        waiting = [slot for slots in self.followers.values() for slot in slots]
        live = list(self.is_live)
        for slot in waiting:
            live[slot] = True
        self.live.copy_(torch.tensor(live))
        self.position.copy_(torch.tensor(self.read))

    def _ragged(self, j: int) -> None:
        tokens, places, spans, last, ready = [], [], [], [], []
        for slot in range(self.slots):
            if not self.is_live[slot]:
                continue
            left = self.goal[slot] - self.read[slot]
            if left > 1:  # reads; the last token of a prompt is for the step that chooses
                n = min(left - 1, READ)
                if len(tokens) + n > STEP_TOKENS:
                    continue
            else:
                n = 1
                if self.written[slot] == 0:
                    self._hold(slot, back=False)
                ready.append(slot)
                last.append(len(tokens))
            at = self.read[slot]
            spans.append((slot, len(tokens), n))
            tokens += self.known[slot][at : at + n]
            places += range(at, at + n)
        if not tokens:
            return
        hidden = self._trunk(torch.tensor(tokens), torch.tensor(places), torch.tensor(spans))
        for slot, _, n in spans:
            self.read[slot] += n
            if slot in self.followers and self.read[slot] == self.goal[slot] - 1:
                self._hand_on(slot)
        if not ready:
            return
        w, at = self.weights, torch.tensor(ready)
        logits = F.linear(rms_norm(hidden[torch.tensor(last)], w["norm_out"], self.c.eps), w["head"])
        self.count[at] = torch.tensor([self.written[slot] for slot in ready])
        token = self._forked(self._choose_for(self._explored(logits, at), at), logits, at)
        self.chosen[at, j] = token
        self._tell(j, logits, token, at)
        for slot, one in zip(ready, token.tolist()):
            self.known[slot].append(one)
            self.goal[slot] += 1
            self.written[slot] += 1
            if one in self.end_ids or self.written[slot] >= self.most_of[slot] or self.read[slot] >= self.context:
                self.is_live[slot] = False

    def _choose_for(self, logits, at):
        if not self.filtered[at].any():
            noise = -torch.log(-torch.log(torch.rand_like(logits).clamp(1e-9, 1 - 1e-7)))
            return torch.where(self.draw[at].unsqueeze(1), logits + noise, logits).argmax(-1)
        full = torch.zeros(self.slots, logits.shape[-1])
        full[at] = logits
        return self._choose(full)[at]

    def _trunk(self, token, place, spans):
        """Hidden states of these tokens, [tokens, hidden]; the slots' states go on."""
        w, c, count = self.weights, self.c, len(spans)
        p = lambda tensor: ctypes.c_void_p(tensor.data_ptr())
        x = F.embedding(token, w["embed"])
        cos, sin = self.cos[place], self.sin[place]
        n = len(token)
        for i in range(c.layers):
            get = lambda name, i=i: w[f"layers.{i}.{name}"]
            h = rms_norm(x, get("norm_mix"), c.eps)
            if c.is_attention(i):
                q, gate = F.linear(h, get("q_proj")).view(n, c.heads, 2 * c.head_dim).split(c.head_dim, -1)
                k, v = F.linear(h, get("k_proj")).view(n, 1, c.head_dim), F.linear(h, get("v_proj"))
                q = (rope(rms_norm(q, get("q_norm"), c.eps), cos, sin, c.rope_dim) * c.head_dim**-0.5).contiguous()
                k = rope(rms_norm(k, get("k_norm"), c.eps), cos, sin, c.rope_dim).contiguous()
                o = torch.empty(n, c.heads * c.head_dim)
                self.lib.attention(p(q), p(k), p(v), p(self.keys[i]), p(self.values[i]), p(place), p(o), p(spans),
                                   ctypes.c_long(count), c.heads, ctypes.c_long(self.context))
                x = x + F.linear(o * torch.sigmoid(gate.reshape(n, -1)), get("o_proj"))
            else:
                wide = (2 * c.k_heads + c.v_heads) * c.gdn_dim
                mixed, z = F.linear(h, get("in_proj_qkvz")).split([wide, c.v_heads * c.gdn_dim], -1)
                mixed, gates = mixed.contiguous(), F.linear(h, get("in_proj_ba"))
                o = torch.empty(n, c.v_heads, c.gdn_dim)
                self.lib.deltanet(p(mixed), p(gates), p(self.conv[i]), p(self.state[i]), p(get("conv1d")), p(get("A_log")), p(get("dt_bias")),
                                  p(o), p(spans), ctypes.c_long(count), c.k_heads, c.v_heads, c.conv, ctypes.c_float(c.eps))
                o = rms_norm(o, get("gdn_norm"), c.eps) * F.silu(z.view(n, c.v_heads, c.gdn_dim))
                x = x + F.linear(o.reshape(n, -1), get("out_proj"))
            h = rms_norm(x, get("norm_moe"), c.eps)
            weight, ids = F.linear(h, get("router")).softmax(-1).topk(c.top_k, -1)
            routed = Experts.apply(h, weight / weight.sum(-1, keepdim=True), ids, self.experts[i][0], self.experts[i][1])
            gate, up = F.linear(h, get("shared_gate_up")).chunk(2, -1)
            x = x + routed + F.linear(F.silu(gate) * up, get("shared_down")) * torch.sigmoid(F.linear(h, get("shared_gate")))
        return x

    @torch.no_grad()
    def load(self, model) -> None:
        super().load(model)
        self.experts = [(layer.gate_up.detach().clone(), layer.down.detach().clone()) for layer in model.layers]
