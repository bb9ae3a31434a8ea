"""A checkpoint as GGUF, and its line in the site's list of models.

    python export.py run.pt --tokenizer tokenizer.json --out ../public/models/tabwright-micro.gguf

Matrices become Q8_0 (F32 with `--type f32`); norms, convolution, router, shared gate, decay stay F32, as
llama.cpp's own quantiser keeps them. The changes from checkpoint to file are those of llama.cpp's
`conversion/qwen.py` for Qwen3-Next: +1 on the zero-centred norms (not on the DeltaNet's), -exp(A_log),
qkvz split into [q|k|v] and z, ba left grouped per key head.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

import gguf
from config import Config
from tokenizer import CONTROL, MARKERS, Tokenizer

NAME = "Tabwright micro"
NOTE = "Ships with this site: nothing to download. Knows one-line bugs in small JavaScript functions"


def metadata(c: Config, tokenizer: Tokenizer, name: str) -> dict:
    kinds = {**dict.fromkeys(CONTROL, 3), **dict.fromkeys(MARKERS, 4)}
    model = {
        "block_count": c.layers, "context_length": c.context, "embedding_length": c.hidden,
        "feed_forward_length": c.expert_ff, "vocab_size": c.vocab,
        "attention.head_count": c.heads, "attention.head_count_kv": c.kv_heads,
        "attention.key_length": c.head_dim, "attention.value_length": c.head_dim,
        "attention.layer_norm_rms_epsilon": c.eps,
        "rope.freq_base": c.theta, "rope.dimension_count": c.rope_dim,
        "expert_count": c.experts, "expert_used_count": c.top_k,
        "expert_feed_forward_length": c.expert_ff, "expert_shared_feed_forward_length": c.shared_ff,
        "ssm.conv_kernel": c.conv, "ssm.state_size": c.gdn_dim, "ssm.group_count": c.k_heads,
        "ssm.time_step_rank": c.v_heads, "ssm.inner_size": c.v_heads * c.gdn_dim,
        "full_attention_interval": c.interval,
    }
    template = (Path(__file__).parent / "template.jinja").read_text().rstrip("\n")
    return {
        "general.architecture": "qwen3next",
        "general.name": name,
        "general.license": "apache-2.0",
        "general.alignment": gguf.ALIGNMENT,
        "general.sampling.temp": 0.0,
        "general.sampling.top_k": 1,
        "general.sampling.top_p": 1.0,
        **{f"qwen3next.{key}": value for key, value in model.items()},
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokenizer.tokens,
        "tokenizer.ggml.token_type": [kinds.get(token, 1) for token in tokenizer.tokens],
        "tokenizer.ggml.merges": [f"{a} {b}" for a, b in tokenizer.merges],
        "tokenizer.ggml.bos_token_id": tokenizer.ids["<|endoftext|>"],
        "tokenizer.ggml.eos_token_id": tokenizer.end,
        "tokenizer.ggml.padding_token_id": tokenizer.ids["<|endoftext|>"],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": template,
    }


def tensors(state: dict[str, np.ndarray], c: Config) -> list[tuple[str, np.ndarray, bool]]:
    """(name, values, may be quantised)."""
    out = [("token_embd.weight", state["embed"], True), ("output.weight", state["head"], True),
           ("output_norm.weight", 1 + state["norm_out"], False)]
    for i in range(c.layers):
        w = {key.removeprefix(f"layers.{i}."): value for key, value in state.items() if key.startswith(f"layers.{i}.")}
        block = [("attn_norm.weight", 1 + w["norm_mix"], False), ("post_attention_norm.weight", 1 + w["norm_moe"], False)]
        block += _attention(w) if c.is_attention(i) else _deltanet(w, c)
        f, fs = c.expert_ff, c.shared_ff
        block += [
            ("ffn_gate_inp.weight", w["router"], False),
            ("ffn_gate_exps.weight", w["gate_up"][:, :f], True),
            ("ffn_up_exps.weight", w["gate_up"][:, f:], True),
            ("ffn_down_exps.weight", w["down"], True),
            ("ffn_gate_inp_shexp.weight", w["shared_gate"].reshape(-1), False),
            ("ffn_gate_shexp.weight", w["shared_gate_up"][:fs], True),
            ("ffn_up_shexp.weight", w["shared_gate_up"][fs:], True),
            ("ffn_down_shexp.weight", w["shared_down"], True),
        ]
        out += [(f"blk.{i}.{name}", values, may) for name, values, may in block]
    return out


def _attention(w):
    return [
        ("attn_q.weight", w["q_proj"], True), ("attn_k.weight", w["k_proj"], True),
        ("attn_v.weight", w["v_proj"], True), ("attn_output.weight", w["o_proj"], True),
        ("attn_q_norm.weight", 1 + w["q_norm"], False), ("attn_k_norm.weight", 1 + w["k_norm"], False),
    ]


def _deltanet(w, c: Config):
    d, r = c.gdn_dim, c.v_heads // c.k_heads
    grouped = w["in_proj_qkvz"].reshape(c.k_heads, -1, c.hidden)
    q, k, v, z = (part.reshape(-1, c.hidden) for part in np.split(grouped, [d, 2 * d, 2 * d + r * d], 1))
    return [
        ("attn_qkv.weight", np.concatenate([q, k, v]), True), ("attn_gate.weight", z, True),
        ("ssm_conv1d.weight", w["conv1d"], False), ("ssm_dt.bias", w["dt_bias"], False),
        ("ssm_a", -np.exp(w["A_log"]), False), ("ssm_ba.weight", w["in_proj_ba"], True),
        ("ssm_norm.weight", w["gdn_norm"], False), ("ssm_out.weight", w["out_proj"], True),
    ]


def export(checkpoint: Path, tokenizer_path: Path, out: Path, kind: int, name: str = NAME) -> int:
    saved = torch.load(checkpoint, map_location="cpu")
    c, tokenizer = Config(**saved["config"]), Tokenizer.load(tokenizer_path)
    state = {key: value.float().numpy() for key, value in saved["model"].items()}
    rows = [(n, v, kind if may and v.shape[-1] % 32 == 0 else gguf.F32) for n, v, may in tensors(state, c)]
    return gguf.write(out, metadata(c, tokenizer, name), rows)


def enlist(path: Path, name: str) -> None:
    """Put the file into `models.json` beside it, in the place of its last version, else at the end."""
    listing = path.parent / "models.json"
    models = json.loads(listing.read_text()) if listing.exists() else []
    raw = path.read_bytes()
    line = dict(id=path.stem, name=name, file=path.name, bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest(), note=NOTE)
    at = next((i for i, model in enumerate(models) if model["id"] == path.stem), len(models))
    models[at : at + 1] = [line]
    listing.write_text(json.dumps(models, indent=2) + "\n")


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("checkpoint", type=Path)
    args.add_argument("--tokenizer", type=Path, required=True)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--type", choices=["q8_0", "f32"], default="q8_0")
    args.add_argument("--name", default=NAME)
    args.add_argument("--list", action="store_true", help="enter the file into models.json beside it")
    a = args.parse_args()
    size = export(a.checkpoint, a.tokenizer, a.out, gguf.Q8_0 if a.type == "q8_0" else gguf.F32, a.name)
    if a.list:
        enlist(a.out, a.name)
    print(f"{a.out}: {size} bytes")


if __name__ == "__main__":
    main()
