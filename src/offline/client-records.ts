// Which client runs on which version. Kept in a cache, because the browser stops a service worker whenever it is idle
// and the pages live on.

const CACHE = "tabwright-clients";

/** What is known of the clients, read once and kept in step with its cache. */
export class ClientRecords {
  readonly #caches: CacheStorage;
  readonly #root: string;
  readonly #known: Map<string, string>;
  /** Set here and not yet seen alive: browsers do not list a client while its page is on the way. */
  readonly #coming = new Set<string>();

  private constructor(caches: CacheStorage, root: string, known: Map<string, string>) {
    this.#caches = caches;
    this.#root = root;
    this.#known = known;
  }

  /** `root` is the site's, with a slash at the end. */
  static async open(caches: CacheStorage, root: string): Promise<ClientRecords> {
    const cache = await caches.open(CACHE);
    const known = new Map<string, string>();
    for (const request of await cache.keys()) {
      const version = await (await cache.match(request))?.text();
      if (version) known.set(decodeURIComponent(request.url.slice(`${root}clients/`.length)), version);
    }
    return new ClientRecords(caches, root, known);
  }

  get known(): ReadonlyMap<string, string> {
    return this.#known;
  }

  /** Known at once, durable when the promise resolves. */
  async set(client: string, version: string): Promise<void> {
    if (client === "" || this.#known.get(client) === version) return;
    this.#known.set(client, version);
    this.#coming.add(client);
    await (await this.#caches.open(CACHE)).put(this.#url(client), new Response(version));
  }

  /** Forgets the clients that are gone. One that never came is forgotten by the next worker. */
  async keep(living: ReadonlySet<string>): Promise<void> {
    const cache = await this.#caches.open(CACHE);
    for (const client of living) this.#coming.delete(client);
    for (const client of this.#known.keys()) {
      if (living.has(client) || this.#coming.has(client)) continue;
      this.#known.delete(client);
      await cache.delete(this.#url(client));
    }
  }

  #url(client: string): string {
    return `${this.#root}clients/${encodeURIComponent(client)}`;
  }
}
