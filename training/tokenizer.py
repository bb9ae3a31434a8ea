"""Byte-level BPE with Qwen's pre-tokeniser and Qwen's control tokens, small enough to train in seconds.

    python tokenizer.py CORPUS.jsonl --vocab 1024 --out tokenizer.json

The order of ids is: 256 bytes, merges, added tokens. Digits stay single, as in Qwen.
The pattern is Qwen2's with letters and numbers as Python's `re` knows them; the corpus is ASCII, where
the two agree, and `golden.py` compares ids with llama.cpp's.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKERS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>")
ADDED = CONTROL + MARKERS

WORD = re.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:[^\r\n\w]|_)?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPLIT = re.compile("(" + "|".join(map(re.escape, ADDED)) + ")")


def byte_alphabet() -> list[str]:
    """GPT-2's printable stand-in for each byte. Source: openai/gpt-2 `bytes_to_unicode`."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(spare)) for b in range(256)]


ALPHABET = byte_alphabet()


class Tokenizer:
    """Ids of a text and back. Added tokens are found in text as llama.cpp does with `special` on."""

    def __init__(self, tokens: list[str], merges: list[tuple[str, str]]):
        self.tokens, self.merges = tokens, merges
        self.ids = {token: i for i, token in enumerate(tokens)}
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.bytes = {letter: b for b, letter in enumerate(ALPHABET)}
        self.words: dict[str, list[int]] = {}
        self.end = self.ids["<|im_end|>"]

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        data = json.loads(Path(path).read_text())
        return cls(data["tokens"], [tuple(pair) for pair in data["merges"]])

    def save(self, path: Path) -> None:
        Path(path).write_text(json.dumps({"tokens": self.tokens, "merges": self.merges}))

    def _word(self, word: str) -> list[int]:
        known = self.words.get(word)
        if known is not None:
            return known
        parts = [ALPHABET[b] for b in word.encode()]
        while len(parts) > 1:
            ranks = [self.rank.get(pair, len(self.rank)) for pair in zip(parts, parts[1:])]
            best = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[best] == len(self.rank):
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        ids = self.words[word] = [self.ids[part] for part in parts]
        return ids

    def encode_plain(self, text: str) -> list[int]:
        """Ids of text in which an added token's name is only text."""
        return [i for word in WORD.findall(text) for i in self._word(word)]

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        for part in SPLIT.split(text):
            if part in ADDED:
                ids.append(self.ids[part])
            elif part:
                ids += self.encode_plain(part)
        return ids

    def decode(self, ids: list[int]) -> str:
        raw = bytearray()
        for i in ids:
            token = self.tokens[i]
            raw += token.encode() if token in ADDED else bytes(self.bytes[letter] for letter in token)
        return raw.decode("utf-8", "replace")


def train(counts: Counter, vocab: int, least: int = 20) -> Tokenizer:
    """Merge the most frequent pair until `vocab` ids exist or no pair occurs `least` times."""
    words = {word: [ALPHABET[b] for b in word.encode()] for word in counts}
    pairs: dict[tuple[str, str], int] = defaultdict(int)
    where: dict[tuple[str, str], set[str]] = defaultdict(set)
    for word, parts in words.items():
        for pair in zip(parts, parts[1:]):
            pairs[pair] += counts[word]
            where[pair].add(word)
    tokens, merges = list(ALPHABET), []
    while len(tokens) + len(ADDED) < vocab and pairs:
        pair = max(pairs, key=lambda p: (pairs[p], p))
        if pairs[pair] < least:
            break
        merged = pair[0] + pair[1]
        merges.append(pair)
        tokens.append(merged)
        for word in list(where[pair]):
            parts = words[word]
            for old in zip(parts, parts[1:]):
                pairs[old] -= counts[word]
                where[old].discard(word)
            parts = words[word] = _merge(parts, pair, merged)
            for new in zip(parts, parts[1:]):
                pairs[new] += counts[word]
                where[new].add(word)
        pairs.pop(pair, None)
    return Tokenizer(tokens + list(ADDED), merges)


def _merge(parts: list[str], pair: tuple[str, str], merged: str) -> list[str]:
    out, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            out.append(merged)
            i += 2
        else:
            out.append(parts[i])
            i += 1
    return out


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("corpus", type=Path, help="JSONL of episodes")
    args.add_argument("--vocab", type=int, default=1024)
    args.add_argument("--episodes", type=int, default=20000, help="how many to count words in")
    args.add_argument("--out", type=Path, default=Path("tokenizer.json"))
    a = args.parse_args()
    counts: Counter = Counter()
    with a.corpus.open() as lines:
        for _, line in zip(range(a.episodes), lines):
            for message in json.loads(line)["messages"]:
                for part in SPLIT.split(f"{message['role']}\n{message['content']}\n"):
                    if part not in ADDED:
                        counts.update(WORD.findall(part))
    # A frequent word must not win a token for each of its prefixes, nor a rare one go without letters.
    flat = Counter({word: int(n**0.75) + 1 for word, n in counts.items()})
    tokenizer = train(flat, a.vocab)
    tokenizer.save(a.out)
    used = Counter(i for word, n in counts.items() for i in tokenizer._word(word) for _ in range(1) if n)
    print(f"{a.out}: {len(tokenizer.tokens)} tokens, {len(tokenizer.merges)} merges, {len(counts)} distinct words, "
          f"{sum(1 for i in range(256, 256 + len(tokenizer.merges)) if not used[i])} merges unused")


if __name__ == "__main__":
    main()
