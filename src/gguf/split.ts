// Models published in parts, `name-00001-of-00005.gguf`: what the names say, and whether the parts make one model.
// Source: https://github.com/ggml-org/llama.cpp/tree/master/tools/gguf-split (keys split.no, split.count, split.tensors.count).
import { AppError } from "../base/errors.ts";
import type { GgufFile, Metadata } from "./file.ts";

const PART_NAME = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** What a file name says about its place in a split model. */
export interface PartName {
  /** The name without number and ending; the same for all parts. */
  readonly base: string;
  /** From 1. */
  readonly no: number;
  readonly count: number;
}

/** Undefined for the name of a whole model. Folders before the name belong to `base`. */
export function partName(name: string): PartName | undefined {
  const match = PART_NAME.exec(name);
  if (!match) return undefined;
  const [no, count] = [Number(match[2]), Number(match[3])];
  return no >= 1 && no <= count ? { base: match[1]!, no, count } : undefined;
}

/** The names of all parts of the model that `name` is a part of, in order; a whole model is its own only part. */
export function partNames(name: string): readonly string[] {
  const part = partName(name);
  if (!part) return [name];
  const five = (value: number) => String(value).padStart(5, "0");
  return Array.from({ length: part.count }, (_, i) => `${part.base}-${five(i + 1)}-of-${five(part.count)}.gguf`);
}

function range(name: string): string {
  const names = partNames(name);
  return `${names[0]} to ${names.at(-1)}`;
}

/**
 * The parts in the order of their names. Throws `model/format`, naming the part, when one is missing, there twice or of another
 * model. Parts whose names do not say what they are stay as they are given: their headers decide.
 */
export function inPartOrder<T extends { readonly name: string }>(parts: readonly T[]): readonly T[] {
  const named = parts.map((part) => ({ part, name: partName(part.name) }));
  const first = named.find(({ name }) => name)?.name;
  if (!first || parts.length === 1) return parts;
  const lead = named.find(({ name }) => name)!.part.name;
  const places = new Map<number, T>();
  for (const { part, name } of named) {
    if (!name || name.base !== first.base || name.count !== first.count) {
      throw new AppError("model/format", `${part.name} is not a part of the same model as ${lead}. Choose only ${range(lead)}.`, { data: { part: part.name } });
    }
    if (places.has(name.no)) throw new AppError("model/format", `${part.name} was chosen twice. Choose each of ${range(lead)} once.`, { data: { part: part.name } });
    places.set(name.no, part);
  }
  const missing = partNames(lead).filter((_, i) => !places.has(i + 1));
  if (missing.length) {
    throw new AppError("model/format", `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing: the model has ${first.count} parts. Choose all of ${range(lead)} together.`, {
      data: { missing: missing.join(", "), parts: first.count },
    });
  }
  return [...places].sort(([a], [b]) => a - b).map(([, part]) => part);
}

function counted(metadata: Metadata, key: string): number | undefined {
  const value = metadata[key];
  return typeof value === "number" ? value : undefined;
}

/** Throws `model/unsupported` when a file that was opened alone is a part of a model. */
export function checkAlone(name: string, { metadata }: GgufFile): void {
  const count = counted(metadata, "split.count") ?? 1;
  if (count <= 1) return;
  const all = partName(name) ? ` (${range(name)})` : "";
  throw new AppError("model/unsupported", `${name} is one of ${count} parts of a model. Choose all ${count} parts together${all}.`, { data: { part: name, parts: count } });
}

/**
 * One header out of those of all parts in order, each with offsets from the start of the joined source. Throws `model/format`,
 * naming the part, unless their keys agree that they are the model's parts, all of them, in this order.
 */
export function mergeParts(parts: readonly { readonly name: string; readonly file: GgufFile }[]): GgufFile {
  const fail = (name: string, reason: string, next: string): never => {
    throw new AppError("model/format", `${name} ${reason}. ${next}`, { data: { part: name, parts: parts.length } });
  };
  const total = parts.reduce((sum, { file }) => sum + file.tensors.length, 0);
  parts.forEach(({ name, file: { metadata } }, i) => {
    const [no, count] = [counted(metadata, "split.no"), counted(metadata, "split.count")];
    if (no === undefined || count === undefined) return fail(name, "is not a part of a split model", "Open it alone, or choose the parts of one model only.");
    if (count !== parts.length) return fail(name, `is one of ${count} parts, but ${parts.length} files were chosen`, `Choose all ${count} parts and nothing else.`);
    if (no !== i) return fail(name, `is part ${no + 1} of the model, but stands in the place of part ${i + 1}`, "Give the files the names they were published with, and choose each once.");
  });
  const seen = new Map<string, string>();
  for (const { name, file } of parts) {
    for (const tensor of file.tensors) {
      const other = seen.get(tensor.name);
      if (other !== undefined) fail(name, `holds the tensor ${tensor.name}, which ${other} holds too: they are parts of different models`, "Get the parts of one model again.");
      seen.set(tensor.name, name);
    }
  }
  for (const { name, file } of parts) {
    const promised = counted(file.metadata, "split.tensors.count") ?? total;
    if (promised !== total) fail(name, `belongs to a model of ${promised} tensors, but the parts have ${total} together: one of them is of another model`, "Get the parts of one model again.");
  }
  const first = parts[0]!.file;
  const metadata = Object.fromEntries(Object.entries(first.metadata).filter(([key]) => !key.startsWith("split.")));
  return { metadata, tensors: parts.flatMap(({ file }) => file.tensors), headerBytes: first.headerBytes };
}
