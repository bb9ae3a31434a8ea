"""Shapes of the models this folder can train.

One dataclass holds every size that the GGUF metadata will carry, under the names the
Qwen3-Next configuration uses where it has one. `PRESETS` names the two shapes we trained.
"""

from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True)
class Config:
    vocab: int = 1024
    hidden: int = 128
    layers: int = 4
    # Every `interval`-th layer is gated attention, the others are Gated DeltaNet. Four layers with
    # the real model's interval of 4 would have one attention layer: none to find with before the
    # one that copies. The GGUF key `full_attention_interval` carries it.
    interval: int = 2
    k_heads: int = 2
    v_heads: int = 4
    gdn_dim: int = 32  # width of one DeltaNet key or value head
    conv: int = 4
    heads: int = 4
    kv_heads: int = 1
    head_dim: int = 64
    rope_dim: int = 16
    theta: float = 10000.0
    experts: int = 16
    top_k: int = 2
    expert_ff: int = 64
    shared_ff: int = 64
    eps: float = 1e-6
    context: int = 4096
    chunk: int = 64  # tokens per DeltaNet chunk in training; no trace of it in the file

    def is_attention(self, layer: int) -> bool:
        return (layer + 1) % self.interval == 0

    def to_dict(self) -> dict:
        return asdict(self)


PRESETS = {
    "micro": Config(),
    # What one GPU trains in minutes: 7.1 M parameters, 2.9 M of them used per token, 7.6 MB as Q8_0.
    "small": Config(hidden=256, layers=6, v_heads=4, gdn_dim=64),
}


def preset(name: str, **changes) -> Config:
    """The named shape with some sizes changed (`vocab` comes from the tokenizer)."""
    if name not in PRESETS:
        raise SystemExit(f"unknown preset {name!r}: use one of {', '.join(PRESETS)}")
    return replace(PRESETS[name], **changes)
