// Who answers a request, and of which version. Pure: the service worker (service.ts) brings the facts and acts.
//
// The rule: a page keeps the version it was started with, for itself, its frames and its workers, however many versions
// have arrived since; what a version does not hold comes from the network, never from another version. Only files under
// /assets/ are shared: their names hold their content's hash, so the same name is the same file.
import { entryAt, type PrecacheEntry, type PrecacheList } from "./precache.ts";

/** Instead of a version: this client came from the network and stays there. */
export const NETWORK = "network";
/** A frame's own word about its version, in its address. */
export const VERSION_PARAM = "of";

/** A request, as far as the answer depends on it. */
export interface Asked {
  readonly url: URL;
  readonly method: string;
  /** A page, a frame in a page, the script of a worker, or anything that one of these loads. */
  readonly kind: "page" | "frame" | "worker" | "part";
  /** Who asks; empty for pages and frames, which browsers do not tell (Chromium 156). */
  readonly clientId: string;
}

/** What the worker knows when a request comes. */
export interface Known {
  readonly origin: string;
  /** The version of the worker that answers. */
  readonly own: string;
  /** Every version whose files are stored. */
  readonly lists: ReadonlyMap<string, PrecacheList>;
  /** Client → version, or NETWORK. */
  readonly clients: ReadonlyMap<string, string>;
  /** The versions that open pages run on. */
  readonly running: ReadonlySet<string>;
}

/** Where the answer comes from. */
export type Answer =
  /** The worker keeps out of it. */
  | { readonly from: "browser" }
  /** The network's answer with isolation headers put on. */
  | { readonly from: "network" }
  | { readonly from: "cache"; readonly version: string; readonly entry: PrecacheEntry }
  /** Several versions are open, and only the frame itself can see which of them it belongs to. */
  | { readonly from: "parent" };

/** The answer, and what it means for the client that the request makes. */
export interface Plan {
  readonly answer: Answer;
  /** What the client that this request makes runs on from now on; undefined when it makes none. */
  readonly runsOn: string | undefined;
}

const BROWSER: Answer = { from: "browser" };
const FROM_NETWORK: Answer = { from: "network" };

/** Decides alone from what is given: the same facts, the same answer. */
export function planAnswer(asked: Asked, known: Known): Plan {
  if (asked.method !== "GET" || asked.url.origin !== known.origin) return { answer: BROWSER, runsOn: undefined };
  const version = versionFor(asked, known);
  if (version === undefined) return { answer: { from: "parent" }, runsOn: undefined };
  const answer = version === NETWORK ? undefined : stored(asked.url.pathname, version, known);
  const makesClient = asked.kind !== "part";
  if (answer) return { answer, runsOn: makesClient ? version : undefined };
  // A page that no version holds is the network's, and so is all that it loads. A frame or worker stays with its maker.
  return { answer: makesClient ? FROM_NETWORK : BROWSER, runsOn: makesClient ? (asked.kind === "page" ? NETWORK : version) : undefined };
}

/** Undefined when only the frame itself can tell. */
function versionFor({ url, kind, clientId }: Asked, { own, lists, clients, running }: Known): string | undefined {
  switch (kind) {
    case "page":
      // The commands' page is never one of yesterday.
      return url.searchParams.has("lab") ? NETWORK : own;
    case "frame": {
      const said = url.searchParams.get(VERSION_PARAM);
      if (said !== null && (said === NETWORK || lists.has(said))) return said;
      return running.size > 1 ? undefined : ([...running][0] ?? own);
    }
    case "worker":
    case "part":
      return clients.get(clientId) ?? own;
    default:
      return kind satisfies never;
  }
}

function stored(path: string, version: string, { lists }: Known): Answer | undefined {
  const entry = entryAt(lists.get(version) ?? [], path);
  if (entry) return { from: "cache", version, entry };
  if (!path.startsWith("/assets/")) return undefined;
  for (const [other, list] of lists) {
    const shared = entryAt(list, path);
    if (shared) return { from: "cache", version: other, entry: shared };
  }
  return undefined;
}

/** The versions whose files may go: neither the worker's own nor one that a page still runs on. */
export function unusedVersions({ own, lists, running }: Pick<Known, "own" | "lists" | "running">): readonly string[] {
  return [...lists.keys()].filter((version) => version !== own && !running.has(version));
}
