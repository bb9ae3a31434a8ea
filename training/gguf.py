"""Writes and reads GGUF version 3 as far as this folder needs it: F32 and Q8_0, one file, little-endian.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; Q8_0 as `quantize_row_q8_0_ref` in ggml-quants.c.
"""

import struct
from pathlib import Path

import numpy as np

ALIGNMENT = 32
F32, Q8_0 = 0, 8
_BLOCK = 32
_NUMBERS = {4: "<I", 5: "<i", 6: "<f", 7: "<?"}



def write(path: Path, metadata: dict, tensors: list[tuple[str, np.ndarray, int]]) -> int:
    """`tensors` are (name, values in C order, type); dimensions are written fastest first. Returns the size."""
    blobs, infos, offset = [], [], 0
    for name, values, kind in tensors:
        values = np.ascontiguousarray(values, np.float32)
        blob = quantize_q8_0(values) if kind == Q8_0 else values.tobytes()
        blob += b"\0" * (-len(blob) % ALIGNMENT)
        dims = values.shape[::-1]
        infos.append(_text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset))
        blobs.append(blob)
        offset += len(blob)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    head += b"".join(_text(key) + _value(value) for key, value in metadata.items()) + b"".join(infos)
    data = head + b"\0" * (-len(head) % ALIGNMENT) + b"".join(blobs)
    Path(path).write_bytes(data)
    return len(data)


def quantize_q8_0(values: np.ndarray) -> bytes:
    blocks = values.reshape(-1, _BLOCK)
    scale = np.abs(blocks).max(1) / 127
    with np.errstate(divide="ignore"):
        inverse = np.where(scale > 0, 1 / scale, 0)
    out = np.empty((len(blocks), 2 + _BLOCK), np.uint8)
    out[:, :2] = scale.astype(np.float16).view(np.uint8).reshape(-1, 2)
    scaled = blocks * inverse[:, None]
    out[:, 2:] = np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int8).view(np.uint8)  # halves away from 0
    return out.tobytes()


def dequantize_q8_0(raw: np.ndarray) -> np.ndarray:
    blocks = raw.reshape(-1, 2 + _BLOCK)
    scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    return (blocks[:, 2:].view(np.int8).astype(np.float32) * scale).reshape(-1)


def read(path: Path) -> tuple[dict, list[tuple[str, np.ndarray, int]]]:
    """Metadata and tensors (dequantised), in the form that `write` takes. Only files that `write` made."""
    data = memoryview(Path(path).read_bytes())
    at = 24
    _, count, keys = struct.unpack_from("<IQQ", data, 4)

    def take(form: str):
        nonlocal at
        values = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return values if len(values) > 1 else values[0]

    def text() -> str:
        nonlocal at
        size = take("<Q")
        at += size
        return bytes(data[at - size : at]).decode()

    def value(kind: int):
        if kind == 8:
            return text()
        if kind == 9:
            inner, size = take("<IQ")
            return [value(inner) for _ in range(size)]
        number = take(_NUMBERS[kind])
        return number

    metadata = {}
    for _ in range(keys):
        key = text()
        metadata[key] = value(take("<I"))
    infos = []
    for _ in range(count):
        name = text()
        rank = take("<I")
        infos.append((name, [take("<Q") for _ in range(rank)], *take("<IQ")))
    base = -(-at // ALIGNMENT) * ALIGNMENT
    tensors = []
    for name, dims, kind, offset in infos:
        size = int(np.prod(dims))
        size = size // _BLOCK * (2 + _BLOCK) if kind == Q8_0 else size * 4
        raw = np.frombuffer(data[base + offset : base + offset + size], np.uint8)
        flat = dequantize_q8_0(raw) if kind == Q8_0 else raw.view(np.float32)
        tensors.append((name, flat.reshape(dims[::-1]), kind))
    return metadata, tensors


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if all(isinstance(item, str) for item in value):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)
