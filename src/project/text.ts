// Bytes that are text, and how that text ends its lines. Decoding is strict: what is not UTF-8 is not text, so an edit
// can never damage a binary file. A byte order mark stays part of the text.

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** The text, or undefined for a binary file (a NUL byte, or bytes that are not UTF-8). */
export function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The line ending most of the text's lines have; `\n` where there is none or a tie. */
export function lineEnding(text: string): "\n" | "\r\n" {
  let crlf = 0;
  let lf = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    if (text[at - 1] === "\r") crlf++;
    else lf++;
  }
  return crlf > lf ? "\r\n" : "\n";
}

export function withLineEnding(text: string, ending: "\n" | "\r\n"): string {
  const lf = text.replaceAll("\r\n", "\n");
  return ending === "\n" ? lf : lf.replaceAll("\n", "\r\n");
}

/** Half of a pair of UTF-16 code units alone: it would be written as U+FFFD. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
