"""The mean of two files' weights, as a file: what one stage of training gained and the other knew (Wortsman et al. 2022, arXiv 2109.01903).

    python average.py ../public/models/tabwright-micro.gguf out/rl/model.gguf --out out/mean.gguf [--share 0.5] [--list]

Both must have been trained from the same start: only then does the way between them lead through good models.
"""

import argparse
from pathlib import Path

import export
import gguf
from checkpoint import load_gguf


def average(first: Path, second: Path, out: Path, share: float, name: str = export.NAME) -> int:
    """Writes `first` × (1 − share) + `second` × share; returns the bytes written."""
    (model, tokenizer), (other, _) = load_gguf(first), load_gguf(second)
    assert model.c == other.c, f"{first} and {second} are not of one shape"
    ends = other.state_dict()
    state = {key: (value * (1 - share) + ends[key] * share).numpy() for key, value in model.state_dict().items()}
    rows = [(n, v, gguf.Q8_0 if may and v.shape[-1] % 32 == 0 else gguf.F32) for n, v, may in export.tensors(state, model.c)]
    return gguf.write(out, export.metadata(model.c, tokenizer, name), rows)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("first", type=Path)
    args.add_argument("second", type=Path)
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--share", type=float, default=0.5, help="how much of the second")
    args.add_argument("--list", action="store_true", help="enter the file into models.json beside it")
    a = args.parse_args()
    size = average(a.first, a.second, a.out, a.share)
    if a.list:
        export.enlist(a.out, export.NAME)
    print(f"{a.out}: {size} bytes")


if __name__ == "__main__":
    main()
