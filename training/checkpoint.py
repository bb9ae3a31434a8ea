"""A GGUF of ours as a checkpoint to go on from, and what its file will keep of changed weights.

    python checkpoint.py ../public/models/tabwright-micro.gguf --out start.pt --tokenizer tokenizer.json

The inverse of `export.py`. `Rounded` keeps weights finer than Q8_0 beside the rounded ones that act: a step of
reinforcement moves most weights by less than half of Q8_0's step, so rounded at the end it would be lost.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import gguf
from config import Config
from model import Model
from tokenizer import ALPHABET, Tokenizer

BLOCK = 32


def config_of(metadata: dict) -> Config:
    get = lambda key: metadata[f"qwen3next.{key}"]
    heads = get("ssm.time_step_rank")
    return Config(
        vocab=get("vocab_size"), hidden=get("embedding_length"), layers=get("block_count"), interval=get("full_attention_interval"),
        k_heads=get("ssm.group_count"), v_heads=heads, gdn_dim=get("ssm.inner_size") // heads, conv=get("ssm.conv_kernel"),
        heads=get("attention.head_count"), kv_heads=get("attention.head_count_kv"), head_dim=get("attention.key_length"),
        rope_dim=get("rope.dimension_count"), theta=get("rope.freq_base"), experts=get("expert_count"), top_k=get("expert_used_count"),
        expert_ff=get("expert_feed_forward_length"), shared_ff=get("expert_shared_feed_forward_length"),
        eps=get("attention.layer_norm_rms_epsilon"), context=get("context_length"))


def tokenizer_of(metadata: dict) -> Tokenizer:
    """Merges are joined by a space, which the alphabet of bytes has no letter for."""
    assert " " not in ALPHABET
    return Tokenizer(metadata["tokenizer.ggml.tokens"], [tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]])


def state_of(tensors: dict[str, np.ndarray], c: Config) -> dict[str, torch.Tensor]:
    """Parameters of `Model` from the file's tensors: what `export.tensors` does, backwards."""
    state = {"embed": tensors["token_embd.weight"], "head": tensors["output.weight"], "norm_out": tensors["output_norm.weight"] - 1}
    for i in range(c.layers):
        t = lambda name, i=i: tensors[f"blk.{i}.{name}"]
        layer = {
            "norm_mix": t("attn_norm.weight") - 1, "norm_moe": t("post_attention_norm.weight") - 1,
            "router": t("ffn_gate_inp.weight"), "down": t("ffn_down_exps.weight"),
            "gate_up": np.concatenate([t("ffn_gate_exps.weight"), t("ffn_up_exps.weight")], 1),
            "shared_gate": t("ffn_gate_inp_shexp.weight").reshape(1, -1), "shared_down": t("ffn_down_shexp.weight"),
            "shared_gate_up": np.concatenate([t("ffn_gate_shexp.weight"), t("ffn_up_shexp.weight")]),
        }
        if c.is_attention(i):
            layer |= {f"{p}_proj": t(f"attn_{p}.weight") for p in "qkv"}
            layer |= {"o_proj": t("attn_output.weight"), "q_norm": t("attn_q_norm.weight") - 1, "k_norm": t("attn_k_norm.weight") - 1}
        else:
            keys = c.k_heads * c.gdn_dim
            parts = [*np.split(t("attn_qkv.weight"), [keys, 2 * keys]), t("attn_gate.weight")]
            grouped = np.concatenate([part.reshape(c.k_heads, -1, c.hidden) for part in parts], 1)
            layer |= {
                "in_proj_qkvz": grouped.reshape(-1, c.hidden), "in_proj_ba": t("ssm_ba.weight"), "conv1d": t("ssm_conv1d.weight"),
                "A_log": np.log(-t("ssm_a")), "dt_bias": t("ssm_dt.bias"), "gdn_norm": t("ssm_norm.weight"), "out_proj": t("ssm_out.weight"),
            }
        state |= {f"layers.{i}.{name}": values for name, values in layer.items()}
    return {name: torch.from_numpy(np.array(values, np.float32)) for name, values in state.items()}


def load_gguf(path: Path) -> tuple[Model, Tokenizer]:
    metadata, rows = gguf.read(path)
    c = config_of(metadata)
    model = Model(c)
    model.load_state_dict(state_of({name: values for name, values, _ in rows}, c))
    return model, tokenizer_of(metadata)


def is_rounded(name: str, values: torch.Tensor) -> bool:
    """Does `export.py` write this parameter as Q8_0?"""
    kept = ("router", "conv1d", "shared_gate")
    return values.dim() >= 2 and values.shape[-1] % BLOCK == 0 and name.split(".")[-1] not in kept


def rounded(values: torch.Tensor) -> torch.Tensor:
    """The values after a way through Q8_0, as `gguf.quantize_q8_0` writes it."""
    blocks = values.reshape(-1, BLOCK)
    scale = blocks.abs().amax(1, keepdim=True) / 127
    scaled = blocks * torch.where(scale > 0, 1 / scale, 0.0)
    whole = torch.trunc(scaled + torch.copysign(torch.full_like(scaled, 0.5), scaled))
    return (whole * scale.half().float()).view_as(values)


class Rounded:
    """The parameters of a model that acts rounded: `fine` takes the optimizer's steps, the model holds their rounding.

    Weights from a Q8_0 file lie on its grid, where a step of less than half a cell always rounds back. So each is first
    moved to a random place in its own cell (but for a block's largest, which sets the scale): it rounds to the same
    value, and a small step now crosses a border with a probability that is in proportion to it.
    """

    def __init__(self, model: Model, spread: bool, seed: int = 0):
        self.model = model
        self.fine = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.names = [name for name, p in model.named_parameters() if is_rounded(name, p)]
        if spread:
            # Drawn on the CPU: the same weights wherever it runs.
            dice = torch.Generator().manual_seed(seed)
            for name in self.names:
                values = self.fine[name]
                blocks = values.reshape(-1, BLOCK)
                step = blocks.abs().amax(1, keepdim=True) / 127
                shift = (torch.rand(blocks.shape, generator=dice).to(blocks.device) - 0.5) * 0.998 * step
                largest = blocks.abs() >= step * 126.5
                values.copy_(torch.where(largest, blocks, blocks + shift).view_as(values))
        self.apply()

    @torch.no_grad()
    def lift(self) -> None:
        """Puts the fine weights into the model, for the optimizer to step; `settle` takes them back."""
        for name, p in self.model.named_parameters():
            p.copy_(self.fine[name])

    @torch.no_grad()
    def settle(self) -> None:
        for name, p in self.model.named_parameters():
            self.fine[name].copy_(p)
        self.apply()

    @torch.no_grad()
    def apply(self) -> None:
        chosen = set(self.names)
        for name, p in self.model.named_parameters():
            p.copy_(rounded(self.fine[name]) if name in chosen else self.fine[name])


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("gguf", type=Path)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--tokenizer", type=Path, required=True, help="is written as well: `export.py` asks for it")
    a = args.parse_args()
    model, tokenizer = load_gguf(a.gguf)
    tokenizer.save(a.tokenizer)
    torch.save(dict(model=model.state_dict(), config=model.c.to_dict(), step=0, tokens=0), a.out)
    print(f"{a.out}: {model.counts()[0]} parameters")


if __name__ == "__main__":
    main()
