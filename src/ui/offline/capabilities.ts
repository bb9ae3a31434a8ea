// What works without a network, worked out from facts. Pure: the panel shows it, a test holds it to the facts.
import type { OfflineState } from "./offline-link.ts";

export interface OfflineFacts {
  readonly phase: OfflineState["phase"];
  /** Files of this version that are stored, and how many there are; undefined when none is stored. */
  readonly files: { readonly stored: number; readonly total: number } | undefined;
  /** Models that load without a network: in our store, or part of the stored page. */
  readonly models: readonly string[];
  /** Of WebLLM's: those whose weights are stored, and how many of the list are not. */
  readonly webllm: { readonly stored: readonly string[]; readonly missing: number };
  /** Packages of npm that are kept. */
  readonly packages: number;
}

export type Works = "yes" | "no" | "soon";

/** `what` and `why` name strings; `names` and `count` fill them. */
export interface Capability {
  readonly what: "page" | "models" | "container" | "webllm" | "stackblitz" | "npm" | "github" | "updates";
  readonly works: Works;
  readonly why: string;
  readonly names: readonly string[];
  readonly count: number;
}

export function capabilitiesOf({ phase, files, models, webllm, packages }: OfflineFacts): readonly Capability[] {
  const whole = phase === "ready" && files !== undefined && files.stored >= files.total;
  const page: Works = whole ? "yes" : phase === "saving" ? "soon" : "no";
  const pageWhy = whole ? "stored" : phase === "saving" ? "saving" : phase === "ready" ? "incomplete" : phase;
  const line = (what: Capability["what"], works: Works, why: string, names: readonly string[] = [], count = 0): Capability => ({ what, works, why, names, count });
  return [
    line("page", page, pageWhy, [], files?.total ?? 0),
    models.length === 0 ? line("models", "no", "none") : line("models", page, whole ? "stored" : "needsPage", models),
    line("container", page, whole ? "local" : "needsPage"),
    webllm.stored.length > 0 ? line("webllm", page, whole ? "stored" : "needsPage", webllm.stored, webllm.missing) : line("webllm", "no", "missing", [], webllm.missing),
    line("github", "no", "network"),
    line("stackblitz", "no", "theirs"),
    packages > 0 ? line("npm", page, "stored", [], packages) : line("npm", "no", "none"),
    line("updates", "no", "later"),
  ];
}
