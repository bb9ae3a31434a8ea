// The key-values of a model file under the name of its architecture: every number checked, every complaint with its key.
// Key names: llama.cpp src/llama-arch.cpp.
import { AppError } from "../base/errors.ts";
import type { Metadata, MetadataValue } from "../gguf/file.ts";

export class Keys {
  readonly architecture: string;
  readonly #metadata: Metadata;

  constructor(metadata: Metadata, architecture: string) {
    this.#metadata = metadata;
    this.architecture = architecture;
  }

  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  number(name: string, fallback?: number): number {
    const value = this.#value(name) ?? fallback;
    if (value === undefined) throw this.#unusable(name, "is missing");
    if (typeof value !== "number" || !Number.isFinite(value) || value <= 0) throw this.#unusable(name, `is ${JSON.stringify(value)}, not a positive number`);
    return value;
  }

  count(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (!Number.isInteger(value)) throw this.#unusable(name, `is ${value}, not a whole number`);
    return value;
  }

  /** A list of `length` entries; undefined where the file has no such key. */
  list(name: string, length: number): readonly MetadataValue[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length !== length) throw this.#unusable(name, `is not a list of ${length} entries`);
    return value;
  }

  /** Throws `model/format` about a key where `holds` is false. */
  rule(holds: boolean, name: string, problem: string): void {
    if (!holds) throw this.#unusable(name, problem);
  }

  /** Throws `model/unsupported` where the key is there and none of these. */
  refuse(name: string, allowed: readonly unknown[]): void {
    const value = this.#value(name);
    if (value === undefined || allowed.includes(value)) return;
    const key = this.#key(name);
    throw new AppError("model/unsupported", `The model file's ${key} is ${JSON.stringify(value)}, which this engine does not compute. Use another file.`, { data: { key } });
  }

  #key(name: string): string {
    return `${this.architecture}.${name}`;
  }

  #value(name: string): MetadataValue | undefined {
    return this.#metadata[this.#key(name)];
  }

  #unusable(name: string, problem: string): AppError {
    const key = this.#key(name);
    return new AppError("model/format", `The model file's ${key} ${problem}. The file is damaged, or made by a converter that is not supported: get another.`, { data: { key } });
  }
}
