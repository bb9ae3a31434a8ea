// What crosses MLCEngine in its `prompt` string. Text could not say which `<|im_start|>` is a token and which is only
// written so, and WebLLM's requests have no field for top-k and min-p: so the string is JSON of exactly this.

export interface Envelope {
  readonly ids: readonly number[];
  readonly topK: number;
  readonly minP: number;
}

export function sealEnvelope(envelope: Envelope): string {
  return JSON.stringify(envelope);
}

export function openEnvelope(prompt: string): Envelope {
  return JSON.parse(prompt) as Envelope;
}
