// GPT-2's byte-level alphabet: each byte has one printable character, so that a vocabulary of bytes is a vocabulary of text.
// Source: openai/gpt-2 src/encoder.py, bytes_to_unicode.

function isPrintable(byte: number): boolean {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/** The character that stands for each byte. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
})();

const BYTES = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** The bytes a vocabulary entry stands for. Characters outside the alphabet (a few vocabularies have them) are their own UTF-8. */
export function tokenBytes(token: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTES.get(character);
    if (byte === undefined) bytes.push(...new TextEncoder().encode(character));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
