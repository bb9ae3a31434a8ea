// What this site offers to download, from /models.json: where it lies and what it is estimated to take. What counts is asked
// of the hub when somebody wants it. WebLLM's models, the small ones for weak GPUs, are listed in models.ts.
import type { ModelInfo, ModelNeeds } from "./api.ts";

/** A line of /models.json. */
export interface ModelOffer {
  readonly id: string;
  readonly name: string;
  /** `owner/name` on the hub. */
  readonly repository: string;
  readonly revision: string;
  /** As in the names of the repository's files. */
  readonly quantisation: string;
  /** Main memory from which it is recommended. */
  readonly memoryGb: number;
  /** By arithmetic, never looked up. */
  readonly estimate: ModelNeeds & { readonly bytes: number };
}

/** Nothing where the site has no list or it cannot be read: an offer is no promise. */
export async function readOffers(get: typeof fetch = fetch): Promise<readonly ModelOffer[]> {
  const response = await get("/models.json").catch(() => undefined);
  if (!response?.ok || response.headers.get("content-type")?.startsWith("text/html")) return [];
  const list: unknown = await response.json().catch(() => undefined);
  const offers = typeof list === "object" && list !== null && "offers" in list ? list.offers : undefined;
  return Array.isArray(offers) ? offers.filter(isOffer) : [];
}

/** As the page lists it among the models. */
export function offeredModel({ id, name, memoryGb, estimate }: ModelOffer): ModelInfo {
  const { bytes, ...needs } = estimate;
  return { id, name, kind: "moe", bytes, source: "offer", note: "", needs, memoryGb };
}

/** What to ask the hub for (src/download/address.ts). */
export function addressOf({ repository, revision, quantisation }: ModelOffer): string {
  return `${repository}${revision === "main" ? "" : `@${revision}`}:${quantisation}`;
}

/** Whether a stored model is the offered one. */
export function isStored({ repository, quantisation }: ModelOffer, models: readonly ModelInfo[]): boolean {
  return models.some(({ id, source }) => source === "file" && id.startsWith(`${repository}/`) && id.toLowerCase().includes(quantisation.toLowerCase()));
}

function isOffer(value: unknown): value is ModelOffer {
  if (typeof value !== "object" || value === null) return false;
  const { estimate, memoryGb, ...words } = value as Partial<ModelOffer>;
  const numbers = [memoryGb, estimate?.bytes, estimate?.gpuBytes, estimate?.leastGpuBytes, estimate?.bindingBytes];
  return [words.id, words.name, words.repository, words.revision, words.quantisation].every((word) => typeof word === "string" && word !== "") && numbers.every((number) => typeof number === "number");
}
