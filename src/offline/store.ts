// The stored files of each version: one cache a version, with its list inside it. Nothing is put in that does not have
// the hash the list gives, and nothing is taken out without checking it again: a cache can rot, or be written by others.
import { sha256Hex } from "../base/digest.ts";
import { AppError } from "../base/errors.ts";
import { entryAt, isPrecacheList, type PrecacheEntry, type PrecacheList } from "./precache.ts";

const PREFIX = "tabwright-app-";
/** Where in a cache its list is. Written last: a cache without it is not complete. */
const LIST = "precache-list.json";
const FETCHES_AT_ONCE = 6;

/** What the store uses of the browser, for tests to give. */
export interface StoreParts {
  readonly caches: CacheStorage;
  readonly fetch: (request: Request) => Promise<Response>;
  /** The site's root, with a slash at the end. */
  readonly root: string;
}

/** All stored versions. Holds nothing itself: the page and the worker may each have one. */
export class AppStore {
  readonly #parts: StoreParts;

  constructor(parts: StoreParts) {
    this.#parts = parts;
  }

  /** The list of every version that is completely stored. */
  async lists(): Promise<ReadonlyMap<string, PrecacheList>> {
    const { caches } = this.#parts;
    const lists = new Map<string, PrecacheList>();
    for (const name of await caches.keys()) {
      if (!name.startsWith(PREFIX)) continue;
      const list: unknown = await (await (await caches.open(name)).match(this.#url(LIST)))?.json().catch(() => undefined);
      if (isPrecacheList(list)) lists.set(name.slice(PREFIX.length), list);
    }
    return lists;
  }

  /**
   * Stores a version whole; the browser ends it, if it must, by ending the worker. What another version or an interrupted install has already is not fetched again. Throws
   * `download/failed`, `download/integrity` or `storage/quota`; what was stored stays for the next try, without the list.
   */
  async install(version: string, list: PrecacheList): Promise<void> {
    const others = await this.lists();
    const cache = await this.#parts.caches.open(PREFIX + version);
    const waiting = [...list];
    const work = async (): Promise<void> => {
      for (let entry = waiting.shift(); entry; entry = waiting.shift()) {
        const bytes = (await this.#kept(cache, entry)) ?? (await this.#fromOthers(others, entry)) ?? (await this.#fetch(entry));
        await put(cache, this.#url(entry.url), bytes, entry);
      }
    };
    // What is under way when one fails is finished: nothing writes after the answer, and the next try has less to do.
    const untilOneFails = (): Promise<void> =>
      work().catch((error: unknown) => {
        waiting.length = 0;
        throw error;
      });
    const ends = await Promise.allSettled(Array.from({ length: FETCHES_AT_ONCE }, untilOneFails));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    await put(cache, this.#url(LIST), new TextEncoder().encode(JSON.stringify(list)));
  }

  /**
   * A file of a stored version. One that is missing or damaged is fetched again, if the site still has it. Throws
   * `download/failed` or `download/integrity` where that cannot be.
   */
  async take(version: string, entry: PrecacheEntry): Promise<Uint8Array<ArrayBuffer>> {
    const cache = await this.#parts.caches.open(PREFIX + version);
    const kept = await this.#kept(cache, entry);
    if (kept) return kept;
    const bytes = await this.#fetch(entry);
    // Serving comes first: a full disk only means that it is fetched again next time.
    await put(cache, this.#url(entry.url), bytes, entry).catch(() => undefined);
    return bytes;
  }

  /** Deletes a version; false if there was none. */
  delete(version: string): Promise<boolean> {
    return this.#parts.caches.delete(PREFIX + version);
  }

  /** Versions with anything stored, complete or not. */
  async versions(): Promise<readonly string[]> {
    return (await this.#parts.caches.keys()).filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
  }

  /** What a version takes, file by file as it is stored, and how many files of its list are there. */
  async measure(version: string): Promise<{ readonly bytes: number; readonly files: number }> {
    const cache = await this.#parts.caches.open(PREFIX + version);
    const files = (await cache.keys()).filter(({ url }) => url !== this.#url(LIST));
    const sizes = await Promise.all(files.map(async (request) => Number((await cache.match(request))?.headers.get("content-length") ?? 0)));
    return { bytes: sizes.reduce((sum, size) => sum + size, 0), files: files.length };
  }

  async #kept(cache: Cache, entry: PrecacheEntry): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const response = await cache.match(this.#url(entry.url));
    if (!response) return undefined;
    const bytes = new Uint8Array(await response.arrayBuffer());
    return (await isEntry(bytes, entry)) ? bytes : undefined;
  }

  async #fromOthers(others: ReadonlyMap<string, PrecacheList>, entry: PrecacheEntry): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (const [version, list] of others) {
      if (entryAt(list, `/${entry.url}`)?.revision !== entry.revision) continue;
      const found = await this.#kept(await this.#parts.caches.open(PREFIX + version), entry);
      if (found) return found;
    }
    return undefined;
  }

  /** What the browser's own cache has is good enough if it is the right file; else the site is asked. */
  async #fetch(entry: PrecacheEntry): Promise<Uint8Array<ArrayBuffer>> {
    for (const cache of ["default", "reload"] as const) {
      let response: Response;
      try {
        response = await this.#parts.fetch(new Request(this.#url(entry.url), { cache, credentials: "same-origin" }));
        if (!response.ok) throw new Error(`the site answered ${response.status}`);
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (await isEntry(bytes, entry)) return bytes;
      } catch (cause) {
        if (cache === "default") continue;
        const why = cause instanceof Error && cause.message.startsWith("the site") ? cause.message : "the connection failed";
        throw new AppError("download/failed", `Part of this page, ${entry.url}, could not be fetched: ${why}. Connect to the network and reload the page.`, { cause, data: { url: entry.url } });
      }
    }
    throw new AppError("download/integrity", `Part of this page, ${entry.url}, is not the file that belongs to this version. Reload the page to get the newest version.`, { data: { url: entry.url } });
  }

  #url(path: string): string {
    return new URL(path, this.#parts.root).href;
  }
}

async function isEntry(bytes: Uint8Array<ArrayBuffer>, { bytes: size, revision }: PrecacheEntry): Promise<boolean> {
  return bytes.byteLength === size && (await sha256Hex(bytes)) === revision;
}

async function put(cache: Cache, url: string, bytes: Uint8Array<ArrayBuffer>, entry?: PrecacheEntry): Promise<void> {
  try {
    await cache.put(url, new Response(bytes, { headers: { "content-length": String(bytes.byteLength) } }));
  } catch (cause) {
    throw new AppError("storage/quota", `The browser has no room to keep this page for offline use: ${entry?.url ?? "its list"} (${bytes.byteLength} bytes) did not fit. Free disk space or delete a stored model.`, {
      data: { neededBytes: bytes.byteLength },
      cause,
    });
  }
}
