// What crosses MLCEngine in its `prompt` string. Text could not say which `<|im_start|>` is a token and which is only
// written so, and WebLLM's requests have no field for top-k, min-p and the repeat window: so the string is JSON of exactly this.

import type { Fork } from "./api.ts";

export interface Envelope {
  readonly ids: readonly number[];
  readonly topK: number;
  readonly minP: number;
  readonly repeatLastN?: number;
  readonly forks?: readonly Fork[];
  /** Positions in `ids` worth going back to: where the user's messages begin. In order. */
  readonly turns?: readonly number[];
}

export function sealEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelope);
}

export function openEnvelope(prompt: string): Envelope {
  return JSON.parse(prompt) as Envelope;
}
