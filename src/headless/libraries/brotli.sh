#!/usr/bin/env bash
# Makes brotli.wasm, the library of zlib's brotli functions: Google's C sources, the version that Node 20 and 22 have in them
# (process.versions.brotli), so that compressed bytes are Node's to the byte. Sources and compiler come from PyPI; run it
# where pip is. Licence of the sources: brotli-LICENSE beside this file.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
pip download --quiet --no-deps --no-binary :all: brotli==1.1.0
echo "81de08ac11bcb85841e440c13611c00b67d3bf82698314928d0b676362546724  Brotli-1.1.0.tar.gz" | sha256sum --check --quiet
tar xzf Brotli-1.1.0.tar.gz
python3 -m venv zig
zig/bin/pip install --quiet ziglang==0.17.1
exports=(
  malloc free
  BrotliEncoderCreateInstance BrotliEncoderDestroyInstance BrotliEncoderSetParameter BrotliEncoderCompressStream BrotliEncoderHasMoreOutput
  BrotliDecoderCreateInstance BrotliDecoderDestroyInstance BrotliDecoderSetParameter BrotliDecoderDecompressStream BrotliDecoderGetErrorCode BrotliDecoderErrorString
)
zig/bin/python -m ziglang cc -target wasm32-wasi -mexec-model=reactor -Os -flto -DNDEBUG -Wl,--gc-sections -Wl,--strip-all \
  "${exports[@]/#/-Wl,--export=}" -IBrotli-1.1.0/c/include Brotli-1.1.0/c/{common,dec,enc}/*.c -o "$here/brotli.wasm"
cp Brotli-1.1.0/LICENSE "$here/brotli-LICENSE"
