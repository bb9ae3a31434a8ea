// The models that can be chosen: what this site ships, what the user has imported, and WebLLM's prebuilt ones.
import { AppError } from "../base/errors.ts";
import type { CatalogueEntry } from "../storage/database.ts";
import type { ModelInfo } from "./api.ts";
import { needsOf } from "./model-needs.ts";

/** A line of /models/models.json. */
export interface BundledModel {
  readonly id: string;
  readonly name: string;
  /** Beside models.json. */
  readonly file: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly note?: string;
}

export const BUNDLED_FOLDER = "/models/";

/** What this site ships; nothing when it ships no list. Throws `download/failed` when the list cannot be read. */
export async function bundledModels(): Promise<readonly BundledModel[]> {
  let response: Response;
  try {
    response = await fetch(`${BUNDLED_FOLDER}models.json`);
  } catch (cause) {
    throw new AppError("download/failed", "The list of this site's models could not be fetched. Check the connection and reload the page.", { cause });
  }
  // Hosts that answer every path with their start page have no list either.
  if (response.status === 404 || response.headers.get("content-type")?.startsWith("text/html")) return [];
  const list: unknown = await response.json().catch(() => undefined);
  if (Array.isArray(list) && list.every(isBundledModel)) return list;
  throw new AppError("download/failed", "The list of this site's models, /models/models.json, is broken. Tell whoever runs this site; a GGUF file of your own can be opened meanwhile.");
}

function isBundledModel(value: unknown): value is BundledModel {
  if (typeof value !== "object" || value === null) return false;
  const { id, name, file, bytes, sha256 } = value as Record<string, unknown>;
  return [id, name, file, sha256].every((text) => typeof text === "string" && text !== "") && typeof bytes === "number" && /^[\w.-]+$/.test(String(file));
}

/**
 * WebLLM's prebuilt models that can write code, smallest first. `f16` has its twin without shader-f16 in `f32`.
 * Kept as text so that listing them does not load WebLLM; the contract test holds the list to the release.
 */
export const PREBUILT = [
  { name: "Qwen2.5-Coder 0.5B", f16: "Qwen2.5-Coder-0.5B-Instruct-q4f16_1-MLC", f32: "Qwen2.5-Coder-0.5B-Instruct-q4f32_1-MLC", gpuMb: 945 },
  { name: "Qwen2.5-Coder 1.5B", f16: "Qwen2.5-Coder-1.5B-Instruct-q4f16_1-MLC", f32: "Qwen2.5-Coder-1.5B-Instruct-q4f32_1-MLC", gpuMb: 1630 },
  { name: "Qwen2.5-Coder 3B", f16: "Qwen2.5-Coder-3B-Instruct-q4f16_1-MLC", f32: "Qwen2.5-Coder-3B-Instruct-q4f32_1-MLC", gpuMb: 2505 },
  { name: "Qwen2.5-Coder 7B", f16: "Qwen2.5-Coder-7B-Instruct-q4f16_1-MLC", f32: "Qwen2.5-Coder-7B-Instruct-q4f32_1-MLC", gpuMb: 5107 },
  { name: "Qwen3.5 2B", f16: "Qwen3.5-2B-q4f16_1-MLC", f32: "Qwen3.5-2B-q4f32_1-MLC", gpuMb: 2245 },
  { name: "Qwen3.5 4B", f16: "Qwen3.5-4B-q4f16_1-MLC", f32: "Qwen3.5-4B-q4f32_1-MLC", gpuMb: 3868 },
] as const;

/** Everything that can be loaded: the bundled models first, then what is stored, then WebLLM's. */
export function listChoices(bundled: readonly BundledModel[], stored: readonly CatalogueEntry[], hasF16: boolean): readonly ModelInfo[] {
  const shipped = bundled.map(({ id, name, bytes, note }): ModelInfo => {
    const imported = stored.find((entry) => entry.id === id && entry.complete);
    return { id, name, kind: "moe", bytes, source: "bundled", note: note ?? "Part of this site: nothing to download", ...(imported ? { needs: needsOf(imported, hasF16) } : {}) };
  });
  const imported = stored
    .filter(({ source, complete }) => source !== "bundled" && complete)
    .map((entry): ModelInfo => ({ id: entry.id, name: entry.name, kind: "moe", bytes: entry.store === "file" ? entry.fileBytes : entry.storedBytes, source: "file", note: entry.store === "file" ? "Read from your own file, in place" : "Stored in this browser", needs: needsOf(entry, hasF16) }));
  const prebuilt = PREBUILT.map(({ name, f16, f32, gpuMb }): ModelInfo => {
    const gpuBytes = gpuMb * 1e6;
    const note = `Downloaded by WebLLM from the network; takes about ${(gpuMb / 1000).toFixed(1)} GB of GPU memory`;
    return { id: hasF16 ? f16 : f32, name, kind: "webllm", source: "remote", note, needs: { gpuBytes, leastGpuBytes: gpuBytes, bindingBytes: 0 } };
  });
  return [...shipped, ...imported, ...prebuilt];
}

export function isPrebuilt(id: string): boolean {
  return PREBUILT.some(({ f16, f32 }) => id === f16 || id === f32);
}
