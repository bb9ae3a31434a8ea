// What a version of the app consists of: every file a user needs without a network, with its hash. The list is made by
// the build (src/cli/offline-build.ts) and is part of the service worker, so a changed file is a changed worker.
import { sha256Hex } from "../base/digest.ts";

/** One file of a version. */
export interface PrecacheEntry {
  /** Relative to the site's root, without a slash at the start: "assets/app-1a2b.js". */
  readonly url: string;
  /** SHA-256, hex. */
  readonly revision: string;
  readonly bytes: number;
}
/** All files of a version. */
export type PrecacheList = readonly PrecacheEntry[];

/** Names a build by its content: equal lists have equal names, and any changed byte gives another. */
export async function versionOf(list: PrecacheList): Promise<string> {
  const lines = list.map(({ url, revision }) => `${url} ${revision}\n`).sort();
  return (await sha256Hex(new TextEncoder().encode(lines.join("")))).slice(0, 12);
}

/**
 * The file that answers a path: itself, or the page of a folder, as a web server would find it. `/headless` is asked for
 * without a slash by the WebContainer client.
 */
export function entryAt(list: PrecacheList, path: string): PrecacheEntry | undefined {
  const name = path.replace(/^\/+|\/+$/g, "");
  const names = name === "" ? ["index.html"] : path.endsWith("/") ? [`${name}/index.html`] : [name, `${name}/index.html`, `${name.replace(/\.html$/, "")}/index.html`];
  for (const candidate of names) {
    const found = list.find(({ url }) => url === candidate);
    if (found) return found;
  }
  return undefined;
}

/** Whether a value from a cache is a list; another version of the app may have written it. */
export function isPrecacheList(value: unknown): value is PrecacheList {
  return (
    Array.isArray(value) &&
    value.every((entry: Partial<PrecacheEntry> | null) => typeof entry === "object" && typeof entry?.url === "string" && typeof entry.revision === "string" && typeof entry.bytes === "number")
  );
}
