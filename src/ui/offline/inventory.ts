// What this site has stored in the browser, in bytes, thing by thing: measured in our own stores and caches.
import { rethrowIfFatal } from "../../base/errors.ts";
import { bundledModels, PREBUILT } from "../../engine/models.ts";
import { forgetPackages, measurePackages } from "../../headless/registry/package-cache.ts";
import { AppStore } from "../../offline/store.ts";
import { deleteModel } from "../../storage/catalogue.ts";
import { forgetStates } from "../../storage/kept-states.ts";
import { measureModels, measureShelf, measureStates, type MeasuredModel, type MeasuredValue } from "../../storage/measure.ts";
import { sharedDatabase } from "../../storage/shelf.ts";

/** One line of the list: something of ours that takes room in this browser. */
export interface StoredThing {
  readonly kind: "app" | "model" | "webllm" | "project" | "chats" | "states" | "settings" | "packages";
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  /** A second figure inside `bytes`: what a project's checkpoints take, how many chats there are. */
  readonly detail: number;
  /** `complete: false`: an import that was interrupted, or a version whose files are not all there. */
  readonly complete: boolean;
  /** Of a model of ours: where its weights are, and whether they can be checked. */
  readonly store?: MeasuredModel["store"];
  readonly canCheck?: boolean;
}

/** All of it, as it was when it was measured. */
export interface Inventory {
  readonly things: readonly StoredThing[];
  /** Of the version this page runs on. */
  readonly files: { readonly stored: number; readonly total: number } | undefined;
  readonly models: readonly string[];
  readonly webllm: { readonly stored: readonly string[]; readonly missing: number };
  readonly packages: number;
  readonly persisted: boolean;
}

/** `version`: what the page runs on. Parts that cannot be read are left out: a broken store must not hide the others. */
export async function takeInventory(version: string | undefined): Promise<Inventory> {
  const [app, stored, webllm, packages, bundled, persisted] = await Promise.all([appVersions(), ownThings(), webllmModels(), keptPackages(), bundledModels().catch(() => []), navigator.storage?.persisted?.() ?? false]);
  const mine = app.find(({ thing }) => thing.id === version);
  const models = new Set(stored.filter(({ kind, complete }) => kind === "model" && complete).map(({ name }) => name));
  // Part of the stored page: it is imported when it is first chosen, network or not.
  if (mine?.thing.complete) for (const { name } of bundled) models.add(name);
  const names = webllm.filter(({ complete }) => complete).map(({ name }) => name);
  return {
    things: [...app.map(({ thing }) => thing), ...stored, ...webllm, packages],
    files: mine && { stored: mine.stored, total: mine.total },
    models: [...models],
    webllm: { stored: names, missing: Math.max(0, PREBUILT.length - names.length) },
    packages: packages.detail,
    persisted,
  };
}

/** Deletes a model of ours or one of WebLLM's, what is kept of chats, or npm's packages. */
export async function deleteStored(thing: StoredThing): Promise<void> {
  if (thing.kind === "model") await deleteModel(await sharedDatabase(), thing.id);
  if (thing.kind === "states") await forgetStates();
  if (thing.kind === "packages") await forgetPackages();
  if (thing.kind !== "webllm") return;
  for (const { cache, request, model } of await webllmEntries()) if (model === thing.id) await cache.delete(request);
}

async function appVersions(): Promise<readonly { readonly thing: StoredThing; readonly stored: number; readonly total: number }[]> {
  if (!("caches" in globalThis)) return [];
  const store = new AppStore({ caches, fetch: (request) => fetch(request), root: `${location.origin}/` });
  const lists = await store.lists();
  return Promise.all(
    (await store.versions()).map(async (version) => {
      const { bytes, files } = await store.measure(version);
      const total = lists.get(version)?.length ?? 0;
      return { thing: { kind: "app", id: version, name: version, bytes, detail: files, complete: total > 0 && files >= total } as const, stored: files, total };
    }),
  );
}

async function ownThings(): Promise<readonly StoredThing[]> {
  try {
    const database = await sharedDatabase();
    const [models, states, projects, checkpoints, chats, settings] = await Promise.all([measureModels(database), measureStates(), ...(["projects", "checkpoints", "sessions", "settings"] as const).map((shelf) => measureShelf(database, shelf))]);
    const of = new Map((checkpoints ?? []).map(({ key, bytes }) => [key, bytes]));
    return [
      ...models.map(({ id, name, bytes, complete, store, canCheck }): StoredThing => ({ kind: "model", id, name, bytes, detail: 0, complete, store, canCheck })),
      ...(projects ?? []).map(({ key, name, bytes }): StoredThing => ({ kind: "project", id: key, name: name ?? key, bytes: bytes + (of.get(key) ?? 0), detail: of.get(key) ?? 0, complete: true })),
      together("chats", chats ?? []),
      together("states", states),
      together("settings", settings ?? []),
    ];
  } catch (error) {
    rethrowIfFatal(error);
    return []; // storage is blocked: nothing of ours is stored, and the page has said so
  }
}

function together(kind: "chats" | "states" | "settings", values: readonly MeasuredValue[]): StoredThing {
  return { kind, id: kind, name: kind, bytes: values.reduce((sum, { bytes }) => sum + bytes, 0), detail: values.length, complete: true };
}

async function keptPackages(): Promise<StoredThing> {
  const { bytes, count } = await measurePackages().catch(() => ({ bytes: 0, count: 0 }));
  return { kind: "packages", id: "packages", name: "packages", bytes, detail: count, complete: true };
}

interface WebllmEntry {
  readonly cache: Cache;
  readonly request: Request;
  readonly model: string;
  readonly bytes: number;
  readonly isList: boolean;
}

/** WebLLM keeps its files in three caches of its own, by address. */
async function webllmEntries(): Promise<readonly WebllmEntry[]> {
  if (!("caches" in globalThis)) return [];
  const entries: WebllmEntry[] = [];
  for (const name of (await caches.keys()).filter((key) => key.startsWith("webllm/"))) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      const length = response?.headers.get("content-length");
      const bytes = length ? Number(length) : ((await response?.blob())?.size ?? 0);
      const { pathname } = new URL(request.url);
      const model = /\/mlc-ai\/([^/]+)\/resolve\//.exec(pathname)?.[1] ?? /\/([^/]+?)(?:-ctx\w+|-webgpu)?\.wasm$/.exec(pathname)?.[1] ?? pathname;
      entries.push({ cache, request, model, bytes, isList: /(?:tensor|ndarray)-cache\.json$/.test(pathname) });
    }
  }
  return entries;
}

async function webllmModels(): Promise<readonly StoredThing[]> {
  const found = new Map<string, { bytes: number; files: number; isListed: boolean }>();
  for (const { model, bytes, isList } of await webllmEntries()) {
    const sum = found.get(model) ?? { bytes: 0, files: 0, isListed: false };
    found.set(model, { bytes: sum.bytes + bytes, files: sum.files + 1, isListed: sum.isListed || isList });
  }
  const known = new Map<string, string>(PREBUILT.flatMap(({ name, f16, f32 }) => [[f16, name], [f32, name]] as const));
  return [...found].map(([id, { bytes, files, isListed }]) => ({ kind: "webllm", id, name: known.get(id) ?? id, bytes, detail: files, complete: isListed && known.has(id) }));
}
