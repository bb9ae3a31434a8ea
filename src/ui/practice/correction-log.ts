// An opt-in log of corrections: what the files were, what the model made of them, what the user made of that. It is off
// until the user turns it on, stays in this browser, can be taken out as JSON lines and deleted. Nothing is sent anywhere.
import { decodeText, encodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import { openShelf, type Shelf } from "../../storage/shelf.ts";
import type { Answered, CorrectionWatcher } from "../session/core.ts";

export const CORRECTION_VERSION = 1;
/** Before the key of a record on the shelf of settings. */
const PREFIX = "correction ";
/** The oldest go first. */
const KEPT = 1_000;
/** Larger files are kept by name alone. */
const FILE_CHARS = 200_000;

/** Texts of the files that the model changed; null for one that is not there (any more), or is no text. */
export type Texts = Readonly<Record<string, string | null>>;

/** One line of the export. */
export interface Correction {
  readonly version: number;
  /** When the model had ended, and when the user changed its work last; ms since 1970. */
  readonly time: number;
  readonly changed: number;
  readonly project: string;
  readonly model: string;
  readonly ask: string;
  /** What the model wrote and what its tools answered. */
  readonly messages: Answered["messages"];
  readonly before: Texts;
  readonly after: Texts;
  readonly user: Texts;
  /** What the user made of it: as the model left it, as it was before, or something else. */
  readonly verdict: "kept" | "undone" | "edited";
}

export class CorrectionLog implements CorrectionWatcher {
  readonly #shelf: Shelf<unknown>;
  /** What is still followed: the last answer of each workspace that was open. */
  readonly #open = new Map<string, { readonly key: string; correction: Correction }>();

  private constructor(shelf: Shelf<unknown>) {
    this.#shelf = shelf;
  }

  /** Throws `storage/unavailable`. */
  static async open(): Promise<CorrectionLog> {
    return new CorrectionLog(await openShelf("settings"));
  }

  async answered({ workspace, project, model, ask, messages, before, after }: Answered): Promise<void> {
    this.#open.delete(workspace);
    const paths = [...new Set([...before.keys(), ...after.keys()])].filter((path) => !same(before.get(path), after.get(path))).sort();
    if (paths.length === 0) return;
    const [old, made] = [textsOf(paths, before), textsOf(paths, after)];
    const time = Date.now();
    const correction: Correction = { version: CORRECTION_VERSION, time, changed: time, project, model, ask, messages, before: old, after: made, user: made, verdict: "kept" };
    const key = `${PREFIX}${String(time).padStart(14, "0")} ${crypto.randomUUID().slice(0, 8)}`;
    this.#open.set(workspace, { key, correction });
    await this.#shelf.put(key, correction);
    const keys = await this.#shelf.keys(PREFIX);
    for (const old of keys.slice(0, Math.max(0, keys.length - KEPT))) await this.#shelf.delete(old);
  }

  async followed(workspace: string, files: FileTree): Promise<void> {
    const open = this.#open.get(workspace);
    if (!open) return;
    const { correction } = open;
    const user = textsOf(Object.keys(correction.after), files);
    const [now, made, old] = [user, correction.after, correction.before].map((texts) => JSON.stringify(texts));
    if (now === JSON.stringify(correction.user)) return;
    open.correction = { ...correction, changed: Date.now(), user, verdict: now === made ? "kept" : now === old ? "undone" : "edited" };
    await this.#shelf.put(open.key, open.correction);
  }
}

export async function countCorrections(): Promise<number> {
  return (await (await openShelf("settings")).keys(PREFIX)).length;
}

/** Oldest first, one a line. */
export async function exportCorrections(): Promise<Uint8Array> {
  const found = await (await openShelf<Correction>("settings")).list(PREFIX);
  return encodeText(found.map(([, correction]) => `${JSON.stringify(correction)}\n`).join(""));
}

export async function deleteCorrections(): Promise<void> {
  const shelf = await openShelf("settings");
  for (const key of await shelf.keys(PREFIX)) await shelf.delete(key);
}

function textsOf(paths: readonly string[], files: FileTree): Texts {
  return Object.fromEntries(
    paths.map((path) => {
      const bytes = files.get(path);
      const text = bytes && decodeText(bytes);
      return [path, text === undefined || text.length > FILE_CHARS ? null : text];
    }),
  );
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]));
}
