// Bytes as git writes them into binary patches: four bytes are five characters, 52 bytes are a line, and a line's first
// character says how many bytes it holds. Source: git's base85.c and diff.c (emit_binary_diff_body).

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const VALUES: ReadonlyMap<string, number> = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** Lines without their ends. */
export function encodeBase85(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += LENGTHS.length) {
    const piece = bytes.subarray(at, at + LENGTHS.length);
    let line = LENGTHS[piece.byteLength - 1]!;
    for (let i = 0; i < piece.byteLength; i += 4) line += fiveDigits(piece, i);
    lines.push(line);
  }
  return lines;
}

function fiveDigits(bytes: Uint8Array, at: number): string {
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 256 + (bytes[at + i] ?? 0);
  let digits = "";
  for (let i = 0; i < 5; i++) {
    digits = DIGITS[value % 85]! + digits;
    value = Math.floor(value / 85);
  }
  return digits;
}

/** The bytes, or undefined where a line is not what `encodeBase85` writes. */
export function decodeBase85(lines: readonly string[]): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const line of lines) {
    const length = LENGTHS.indexOf(line[0] ?? " ") + 1;
    if (length === 0 || line.length !== 1 + Math.ceil(length / 4) * 5) return undefined;
    const piece: number[] = [];
    for (let at = 1; at < line.length; at += 5) {
      let value = 0;
      for (const digit of line.slice(at, at + 5)) value = value * 85 + (VALUES.get(digit) ?? Number.NaN);
      if (!(value <= 0xffffffff)) return undefined;
      piece.push(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
    }
    for (const byte of piece.slice(0, length)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
