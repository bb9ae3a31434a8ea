// Ids to text as they come: a character is given out when all its bytes are there, and control tokens are not shown.
import type { ModelTokenizer } from "./tokenizer.ts";

export class Detokenizer {
  readonly #tokenizer: ModelTokenizer;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(tokenizer: ModelTokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Text that is complete now; empty while a character is still arriving. */
  push(id: number): string {
    return this.#decoder.decode(this.#tokenizer.bytesOf(id), { stream: true });
  }

  /** What is left: U+FFFD when the tokens ended inside a character. */
  end(): string {
    return this.#decoder.decode();
  }
}

/** The text of whole ids. */
export function decodeIds(tokenizer: ModelTokenizer, ids: readonly number[]): string {
  const detokenizer = new Detokenizer(tokenizer);
  return ids.map((id) => detokenizer.push(id)).join("") + detokenizer.end();
}
