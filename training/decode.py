"""Many sequences at once, a token at a time: what `Model.trunk` computes, with the state kept between tokens.

A slot holds one sequence: DeltaNet's states and convolutions, attention's keys and values, and the ids it is still to
read. Each step gives every slot one token, read or chosen, so that sequences begin, wait and end independently. On a GPU
some steps at a time are one CUDA graph: a step is hundreds of small kernels, and launching them would take longer than
they do. All of it is float32.

Source of the recurrence: Yang et al. 2024, Gated Delta Networks (arXiv 2412.06464), as `test_training.py` spells it out.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from config import Config
from model import grouped_rows, rope
from ops import rms_norm

STEPS = 8  # tokens between two looks at what was generated
BESIDE = 3  # most probable tokens told beside each choice (src/agent/loop.ts)
FORKS = 16  # of one turn at most
TOP_K = 20  # what the agent's freer turns ask for (src/agent/loop.ts)
SPANS = (256, 384, 512, 768, 1024, 1536, 2048, 4096)  # lengths of keys that a graph is made for


@dataclass
class Choice:
    """How a turn's tokens are chosen: the most probable; drawn, as `explore` says; or drawn with these numbers, filtered as the page does."""
    draw: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    numbers: list[float] = field(default_factory=list)
    least: float = 0.0
    forks: tuple[tuple[int, int], ...] = ()  # (token of the answer, rank): there not the choice, but the one of this rank


def explore(logits, temperature, least, chosen=None):
    """Logits of the distribution that is drawn from: at this temperature, without tokens less probable than `least` of the most
    probable one, so that the form of a call stays what it is while a choice the model is unsure of is made in many ways.
    `chosen` is always among them: it was when it was drawn, though the weights may have moved since."""
    kept = logits >= logits.amax(-1, keepdim=True) + torch.log(least)
    if chosen is not None:
        kept = kept.scatter(-1, chosen.unsqueeze(-1), True)
    return (logits / temperature).masked_fill(~kept, float("-inf"))


class Decoder:
    rewinds = False  # may a turn begin again at the last token of its prompt, with nothing read again?

    def __init__(self, c: Config, slots: int, context: int, device: str, ends: list[int]):
        self.c, self.slots, self.context, self.device = c, slots, context, torch.device(device)
        make = lambda *shape, kind=torch.float32: torch.zeros(*shape, dtype=kind, device=device)
        wide = (2 * c.k_heads + c.v_heads) * c.gdn_dim
        self.state, self.conv, self.keys, self.values = {}, {}, {}, {}
        for i in range(c.layers):
            if c.is_attention(i):
                self.keys[i], self.values[i] = (make(slots, c.kv_heads, context, c.head_dim) for _ in range(2))
            else:
                self.state[i] = make(slots * c.v_heads, c.gdn_dim, c.gdn_dim)
                self.conv[i] = make(slots, wide, c.conv - 1)
        integer = torch.int64
        self.position, self.last, self.at, self.length, self.count, self.most = (make(slots, kind=integer) for _ in range(6))
        self.live, self.draw, self.filtered = (make(slots, kind=torch.bool) for _ in range(3))
        self.pending = make(slots, context, kind=integer)
        self.temperature, self.top_p, self.least = make(slots) + 1, make(slots) + 1, make(slots)
        self.numbers = make(slots, 256)
        self.chosen, self.logprob = make(slots, STEPS, kind=integer), make(slots, STEPS)
        self.beside, self.beside_logprob = make(slots, STEPS, BESIDE, kind=integer), make(slots, STEPS, BESIDE)
        self.fork_at, self.fork_rank = make(slots, FORKS, kind=integer) - 1, make(slots, FORKS, kind=integer)
        self.rows = torch.arange(slots, device=device)
        self.ends = torch.tensor(ends, device=device)
        self.at_key = torch.arange(context, device=device)
        inverse = c.theta ** (-torch.arange(0, c.rope_dim, 2).float() / c.rope_dim)
        angle = torch.outer(torch.arange(context).float(), inverse).repeat(1, 2).to(device)
        self.cos, self.sin = angle.cos(), angle.sin()
        self.weights: dict[str, torch.Tensor] = {}
        self.graphs: dict[int, torch.cuda.CUDAGraph] = {}
        rows, ba = grouped_rows(c)
        self.order, self.ba_order = rows.to(device), ba.to(device)

    @torch.no_grad()
    def load(self, model) -> None:
        """Copies a model's weights to where the steps read them. May be called between any two steps."""
        for name, p in model.named_parameters():
            if name.endswith("in_proj_qkvz"):
                p = p[self.order]
            elif name.endswith("in_proj_ba"):
                p = p[self.ba_order]
            elif name.endswith("gate_up") and p.dim() == 3:
                p = p.reshape(-1, self.c.hidden)
            elif name.endswith("down") and p.dim() == 3:
                p = p.transpose(0, 1).reshape(self.c.hidden, -1)
            elif name.endswith("A_log"):
                p = -torch.exp(p)
            elif name.split(".")[-1] in ("norm_mix", "norm_moe", "norm_out", "q_norm", "k_norm"):
                p = 1 + p
            if name in self.weights:
                self.weights[name].copy_(p)
            else:
                self.weights[name] = p.detach().to(self.device).clone()

    def begin(self, slot_ids: dict[int, tuple[list[int], int, int, Choice]]) -> None:
        """Gives slots their next turn: ids to read on, from which position (0 forgets the sequence), tokens at most, choice."""
        if not slot_ids:
            return
        slots = torch.tensor(list(slot_ids))
        turns = list(slot_ids.values())
        width = max(len(ids) for ids, *_ in turns)
        ids = torch.zeros(len(turns), width, dtype=torch.int64)
        for row, (turn, *_) in zip(ids, turns):
            row[: len(turn)] = torch.tensor(turn)
        columns = torch.tensor([[len(ids), start, most] for ids, start, most, _ in turns])
        choices = [choice for *_, choice in turns]
        floats = torch.tensor([[choice.draw, bool(choice.numbers), choice.temperature, choice.top_p, choice.least] for choice in choices])
        put = lambda tensor: (tensor.pin_memory() if self.device.type == "cuda" else tensor).to(self.device, non_blocking=True)
        at, ids, columns, floats = put(slots), put(ids), put(columns), put(floats)
        self.pending[at, :width] = ids
        self.length[at], self.position[at], self.most[at] = columns.unbind(1)
        self.at[at], self.count[at], self.live[at] = 0, 0, True
        self.draw[at], self.filtered[at] = floats[:, 0] > 0, floats[:, 1] > 0
        self.temperature[at], self.top_p[at], self.least[at] = floats[:, 2], floats[:, 3], floats[:, 4]
        forks = torch.tensor([(list(choice.forks) + [(-1, 0)] * FORKS)[:FORKS] for choice in choices])
        self.fork_at[at], self.fork_rank[at] = put(forks[..., 0]), put(forks[..., 1])
        for slot, choice in zip(slot_ids, choices):
            if choice.numbers:
                numbers = choice.numbers[: self.numbers.shape[1]]
                self.numbers[slot, : len(numbers)] = torch.tensor(numbers, device=self.device)
        fresh = [slot for slot, (_, start, *_) in slot_ids.items() if start == 0]
        if fresh:
            fresh = put(torch.tensor(fresh))
            heads = (fresh.unsqueeze(1) * self.c.v_heads + torch.arange(self.c.v_heads, device=self.device)).flatten()
            for i in self.state:
                self.state[i].index_fill_(0, heads, 0)
                self.conv[i].index_fill_(0, fresh, 0)

    @torch.no_grad()
    def capture(self) -> None:
        """Makes the graphs. Weights must be loaded; the slots' content is lost."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                self._step(0, SPANS[0])
        torch.cuda.current_stream().wait_stream(stream)
        pool = None
        for span in [span for span in SPANS if span < self.context] + [self.context]:
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=pool):
                for j in range(STEPS):
                    self._step(j, span)
            pool = pool or graph.pool()
            self.graphs[span] = graph
        self.live.zero_()
        self.position.zero_()

    @torch.no_grad()
    def run(self, longest: int) -> None:
        """`STEPS` tokens for every slot; no live slot is at `longest` or later. Results in `chosen` (-1: none) and `logprob`."""
        longest = min(longest + STEPS, self.context)
        if self.graphs:
            self.graphs[min(span for span in self.graphs if span >= longest)].replay()
            return
        for j in range(STEPS):
            self._step(j, min(longest, self.context))

    def _step(self, j: int, span: int) -> None:
        reading = self.at < self.length
        token = torch.where(reading, self.pending.gather(1, self.at.clamp(max=self.context - 1).unsqueeze(1)).squeeze(1), self.last)
        logits = self.logits(token, self.live, span)
        self.at += (reading & self.live).long()
        self.position += self.live.long()
        ready = self.live & (self.at >= self.length)
        token = self._forked(self._choose(self._explored(logits, slice(None))), logits, slice(None))
        self.last.copy_(torch.where(ready, token, self.last))
        self.count += ready.long()
        self.chosen[:, j] = torch.where(ready, token, -1)
        self._tell(j, logits, token, slice(None))
        ended = (token.unsqueeze(1) == self.ends).any(1) | (self.count >= self.most) | (self.position >= self.context)
        self.live &= ~(ready & ended)

    def _explored(self, logits, at, chosen=None):
        """The logits of these slots; changed where tokens are drawn."""
        return torch.where(self.draw[at].unsqueeze(1), explore(logits, self.temperature[at].unsqueeze(1), self.least[at].unsqueeze(1), chosen), logits)

    def _forked(self, token, logits, at):
        """The chosen tokens, but where an answer is to leave its way, the one of the rank that is asked for."""
        rank = (self.fork_rank[at] * (self.fork_at[at] == self.count[at].unsqueeze(1))).sum(-1)
        other = logits.topk(BESIDE, -1).indices.gather(1, (rank - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
        return torch.where(rank > 0, other, token)

    def _tell(self, j: int, logits, token, at) -> None:
        """How probable these tokens were, as they were drawn, and the most probable beside them, as the model has them."""
        self.logprob[at, j] = self._explored(logits, at, token).log_softmax(-1).gather(1, token.unsqueeze(1)).squeeze(1)
        self.beside_logprob[at, j], self.beside[at, j] = logits.log_softmax(-1).topk(BESIDE, -1)

    def _choose(self, logits):
        """[slots]. Filters as src/model/sampling.ts: temperature, the 20 most probable, the fewest that reach top_p."""
        noise = -torch.log(-torch.log(torch.rand_like(logits).clamp(1e-9, 1 - 1e-7)))
        token = torch.where(self.draw.unsqueeze(1), logits + noise, logits).argmax(-1)
        top, ids = logits.topk(min(TOP_K, logits.shape[-1]), -1)
        weight = torch.exp((top - top[:, :1]) / self.temperature.unsqueeze(1))
        before = weight.cumsum(-1) - weight
        weight = weight * (before < self.top_p.unsqueeze(1) * weight.sum(-1, keepdim=True))
        reached = weight.cumsum(-1) / weight.sum(-1, keepdim=True)
        number = self.numbers.gather(1, self.count.clamp(max=self.numbers.shape[1] - 1).unsqueeze(1))
        kept = (weight > 0).sum(-1)
        pick = (reached <= number).sum(-1).minimum(kept - 1)
        return torch.where(self.filtered, ids.gather(1, pick.unsqueeze(1)).squeeze(1), token)

    def logits(self, token, live, span: int):
        """Reads one token into every live slot; [slots, vocab]. The others' states stay as they are."""
        w, c = self.weights, self.c
        x = F.embedding(token, w["embed"])
        place = self.position.clamp(max=self.context - 1)
        cos, sin = self.cos[place], self.sin[place]
        hidden = (self.at_key[:span] > place.unsqueeze(1)).view(-1, 1, 1, span)
        for i in range(c.layers):
            get = lambda name, i=i: w[f"layers.{i}.{name}"]
            h = rms_norm(x, get("norm_mix"), c.eps)
            x = x + (self._attention(i, h, get, place, cos, sin, hidden, span) if c.is_attention(i) else self._deltanet(i, h, get, live))
            x = x + self._experts(rms_norm(x, get("norm_moe"), c.eps), get)
        return F.linear(rms_norm(x, w["norm_out"], c.eps), w["head"])

    def _deltanet(self, i: int, h, get, live):
        c = self.c
        b, hk, hv, d = h.shape[0], c.k_heads, c.v_heads, c.gdn_dim
        mixed, z = F.linear(h, get("in_proj_qkvz")).split([(2 * hk + hv) * d, hv * d], -1)
        window = torch.cat([self.conv[i], mixed.unsqueeze(-1)], -1)
        y = F.silu((window * get("conv1d")).sum(-1))
        self.conv[i].copy_(torch.where(live.view(-1, 1, 1), window[..., 1:], self.conv[i]))
        q, k, v = y.split([hk * d, hk * d, hv * d], -1)
        unit = lambda part: part * torch.rsqrt(part.square().sum(-1, keepdim=True) + c.eps)
        spread = lambda part: part.unsqueeze(2).expand(b, hk, hv // hk, d).reshape(b * hv, 1, d)  # v-head h reads k-head h // r
        q, k = spread(unit(q.view(b, hk, d)) * d**-0.5), spread(unit(k.view(b, hk, d)))
        gates = F.linear(h, get("in_proj_ba"))
        beta = torch.sigmoid(gates[:, :hv]) * live.unsqueeze(1)
        decay = torch.exp(get("A_log") * F.softplus(gates[:, hv:] + get("dt_bias")) * live.unsqueeze(1))
        state = self.state[i]
        state.mul_(decay.view(-1, 1, 1))
        change = (v.reshape(b * hv, 1, d) - torch.bmm(k, state)) * beta.view(-1, 1, 1)
        state.baddbmm_(k.transpose(1, 2), change)
        o = rms_norm(torch.bmm(q, state).view(b, hv, d), get("gdn_norm"), c.eps) * F.silu(z.view(b, hv, d))
        return F.linear(o.reshape(b, -1), get("out_proj"))

    def _attention(self, i: int, h, get, place, cos, sin, hidden, span: int):
        c = self.c
        b, hq, hk, d = h.shape[0], c.heads, c.kv_heads, c.head_dim
        q, gate = F.linear(h, get("q_proj")).view(b, hq, 2 * d).split(d, -1)
        k, v = F.linear(h, get("k_proj")).view(b, hk, d), F.linear(h, get("v_proj")).view(b, hk, d)
        q = rope(rms_norm(q, get("q_norm"), c.eps), cos, sin, c.rope_dim) * d**-0.5
        self.keys[i][self.rows, :, place] = rope(rms_norm(k, get("k_norm"), c.eps), cos, sin, c.rope_dim)
        self.values[i][self.rows, :, place] = v
        scores = torch.matmul(q.reshape(b, hk, hq // hk, d), self.keys[i][:, :, :span].transpose(2, 3))
        o = torch.matmul(scores.masked_fill(hidden, -1e30).softmax(-1), self.values[i][:, :, :span])
        return F.linear(o.reshape(b, -1) * torch.sigmoid(gate.reshape(b, -1)), get("o_proj"))

    def _experts(self, h, get):
        c = self.c
        weight, ids = F.linear(h, get("router")).softmax(-1).topk(c.top_k, -1)
        share = torch.zeros(h.shape[0], c.experts, device=h.device).scatter(1, ids, weight / weight.sum(-1, keepdim=True))
        gate, up = F.linear(h, get("gate_up")).view(-1, c.experts, 2, c.expert_ff).unbind(2)
        routed = F.linear((F.silu(gate) * up * share.unsqueeze(-1)).flatten(1), get("down"))
        gate, up = F.linear(h, get("shared_gate_up")).chunk(2, -1)
        return routed + F.linear(F.silu(gate) * up, get("shared_down")) * torch.sigmoid(F.linear(h, get("shared_gate")))
