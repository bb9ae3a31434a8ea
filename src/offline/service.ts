// What the service worker does: stores a version, answers requests as the plan says, keeps the files of a version while a
// page runs on it, and takes over only when it is told to.
import { toAppError } from "../base/errors.ts";
import { ClientRecords } from "./client-records.ts";
import { fileResponse, isolated } from "./isolation.ts";
import type { InstallFailed, ServiceStatus } from "./messages.ts";
import { marked, parentAsking, unavailablePage } from "./pages.ts";
import { type Answer, type Asked, type Known, NETWORK, type Plan, planAnswer, unusedVersions } from "./plan.ts";
import { type PrecacheList, versionOf } from "./precache.ts";
import { AppStore } from "./store.ts";

/** What is used of the worker's global scope. */
export interface ServiceScope {
  readonly caches: CacheStorage;
  readonly clients: Clients;
  readonly registration: ServiceWorkerRegistration;
  fetch(request: Request): Promise<Response>;
  skipWaiting(): Promise<void>;
}

interface Facts {
  readonly own: string;
  readonly lists: ReadonlyMap<string, PrecacheList>;
  readonly records: ClientRecords;
}

/** The service worker's events, one method each. What it knows is read from the browser's caches: it may be stopped at any time. */
export class OfflineService {
  readonly #scope: ServiceScope;
  readonly #list: PrecacheList;
  readonly #store: AppStore;
  readonly #root: string;
  /** Read at the start, so that most requests are decided without waiting. */
  #facts: Facts | undefined;
  #reading: Promise<Facts> | undefined;

  constructor(scope: ServiceScope, list: PrecacheList) {
    this.#scope = scope;
    this.#list = list;
    this.#root = scope.registration.scope;
    this.#store = new AppStore({ caches: scope.caches, fetch: (request) => scope.fetch(request), root: this.#root });
  }

  /** Rejects when the version cannot be stored whole; the browser then throws this worker away. */
  async install(): Promise<void> {
    try {
      await this.#store.install(await versionOf(this.#list), this.#list);
    } catch (error) {
      const failed: InstallFailed = { type: "install-failed", message: toAppError(error).message };
      for (const client of await this.#scope.clients.matchAll({ includeUncontrolled: true })) client.postMessage(failed);
      throw error;
    }
  }

  /** The first version ever takes the pages that are open: they came from the same site a moment ago. */
  async activate(): Promise<void> {
    const { own, lists, records } = await this.#read(true);
    if ([...lists.keys()].every((version) => version === own)) {
      for (const { id } of await this.#scope.clients.matchAll({ type: "all", includeUncontrolled: true })) await records.set(id, own);
      await this.#scope.clients.claim();
    }
    await this.tidy();
  }

  /** Undefined when the browser shall fetch by itself. */
  answer(event: FetchEvent): Promise<Response> | undefined {
    const asked = askedOf(event);
    if (asked.method !== "GET" || asked.url.origin !== new URL(this.#root).origin) return undefined;
    if (this.#facts && asked.kind !== "frame") {
      const plan = planAnswer(asked, this.#known(this.#facts, new Set()));
      return plan.answer.from === "browser" ? undefined : this.#carryOut(event, asked, plan, this.#facts);
    }
    return this.#read().then(
      async (facts) => this.#carryOut(event, asked, planAnswer(asked, this.#known(facts, asked.kind === "frame" ? await this.#running(facts) : new Set())), facts),
      () => this.#scope.fetch(event.request), // the browser's caches cannot be read: the network is all there is
    );
  }

  async status(client: string): Promise<ServiceStatus> {
    const { own, records } = await this.#read();
    return { version: own, runsOn: records.known.get(client) ?? NETWORK };
  }

  /** Deletes what no page uses, unless a newer version is on its way: what it has stored so far is nobody's yet. */
  async tidy(): Promise<number> {
    const facts = await this.#read(true);
    await facts.records.keep(new Set((await this.#scope.clients.matchAll({ type: "all", includeUncontrolled: true })).map(({ id }) => id)));
    const { installing, waiting } = this.#scope.registration;
    if (installing || waiting) return 0;
    const unused = new Set(unusedVersions({ ...facts, running: await this.#running(facts) }));
    for (const version of await this.#store.versions()) if (version !== facts.own && !facts.lists.has(version)) unused.add(version);
    for (const version of unused) await this.#store.delete(version);
    await this.#read(true);
    return unused.size;
  }

  async #carryOut(event: FetchEvent, asked: Asked, { answer, runsOn }: Plan, { records }: Facts): Promise<Response> {
    const runs = (version: string): void => event.waitUntil(records.set(event.resultingClientId, version));
    if (runsOn !== undefined) runs(runsOn);
    if (answer.from === "parent") return html(parentAsking());
    if (answer.from === "browser") return this.#scope.fetch(event.request);
    let reason = "The network cannot be reached, and this address is not part of what is stored for offline use.";
    if (answer.from === "cache") {
      try {
        return await this.#stored(answer, event.request.headers.get("range"));
      } catch (error) {
        if (asked.kind === "part" || asked.kind === "worker") return Response.error();
        reason = toAppError(error).message;
        // A page may be replaced by the network's newer one, whole; a frame must fit the page around it.
        if (asked.kind === "frame") return html(unavailablePage(reason), 503);
        runs(NETWORK);
      }
    }
    try {
      return isolated(await this.#scope.fetch(event.request));
    } catch {
      return asked.kind === "worker" ? Response.error() : html(unavailablePage(reason), 503);
    }
  }

  async #stored({ version, entry }: Answer & { readonly from: "cache" }, range: string | null): Promise<Response> {
    const bytes = await this.#store.take(version, entry);
    if (!entry.url.endsWith(".html")) return fileResponse(entry.url, bytes, range);
    return html(marked(new TextDecoder().decode(bytes), version));
  }

  #known({ own, lists, records }: Facts, running: ReadonlySet<string>): Known {
    return { origin: new URL(this.#root).origin, own, lists, clients: records.known, running };
  }

  /** The versions of the pages that are open. One without a record did not come through here. */
  async #running({ records }: Facts): Promise<ReadonlySet<string>> {
    const windows = await this.#scope.clients.matchAll({ type: "window", includeUncontrolled: true });
    return new Set(windows.filter(({ frameType }) => frameType === "top-level").map(({ id }) => records.known.get(id) ?? NETWORK));
  }

  #read(again = false): Promise<Facts> {
    if (again || !this.#reading) {
      this.#reading = this.#readAll(this.#facts?.records);
      this.#reading.catch(() => (this.#reading = undefined));
    }
    return this.#reading;
  }

  async #readAll(open: ClientRecords | undefined): Promise<Facts> {
    const [own, lists, records] = await Promise.all([versionOf(this.#list), this.#store.lists(), open ?? ClientRecords.open(this.#scope.caches, this.#root)]);
    // An active worker knows its own list even if its cache was deleted under it: files are then fetched again.
    const facts = { own, lists: new Map([...lists, [own, this.#list]]), records };
    this.#facts = facts;
    return facts;
  }
}

function askedOf({ request, clientId }: FetchEvent): Asked {
  const { destination, mode, method } = request;
  const kind = destination === "document" ? "page" : mode === "navigate" ? "frame" : destination === "worker" || destination === "sharedworker" ? "worker" : "part";
  return { url: new URL(request.url), method, kind, clientId };
}

function html(text: string, status = 200): Response {
  const response = fileResponse("page.html", new TextEncoder().encode(text), null);
  return new Response(response.body, { status, headers: response.headers });
}
