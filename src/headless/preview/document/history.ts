// `history` over the preview's own: a srcdoc document may not give itself another address, so its entries are the page's.
import { servedUrl } from "../served-url.ts";
import type { Place } from "./location.ts";
import type { Served } from "./served.ts";

export function installHistory(place: Place, served: Served): void {
  const states = new Map<number, unknown>([[0, null]]);
  let keys = 0;
  let current = 0;
  const enter = (state: unknown, to: string | URL | null | undefined, push: boolean): void => {
    const url = to === null || to === undefined ? place.url : servedUrl(String(to), document.baseURI);
    if (url?.origin !== place.url.origin) throw new DOMException(`A history state object with URL '${String(to)}' cannot be created in a document with URL '${place.url.href}'.`, "SecurityError");
    if (push) current = ++keys;
    states.set(current, structuredClone(state));
    place.url = url;
    served.tell({ type: "at", url: url.href, push, key: current });
  };
  const methods = {
    pushState: (state: unknown, _title: string, url?: string | URL | null) => enter(state, url, true),
    replaceState: (state: unknown, _title: string, url?: string | URL | null) => enter(state, url, false),
    go: (by = 0) => served.tell(by === 0 ? { type: "reload" } : { type: "go", by: Math.trunc(by) }),
    back: () => served.tell({ type: "go", by: -1 }),
    forward: () => served.tell({ type: "go", by: 1 }),
  };
  for (const [name, value] of Object.entries(methods)) Object.defineProperty(history, name, { value, configurable: true, writable: true });
  Object.defineProperty(history, "state", { configurable: true, get: () => states.get(current) ?? null });
  served.onPopped = (key, to) => {
    const before = place.url;
    current = states.has(key) ? key : 0;
    place.url = new URL(to);
    dispatchEvent(new PopStateEvent("popstate", { state: states.get(current) ?? null }));
    if (place.url.hash !== before.hash) dispatchEvent(new HashChangeEvent("hashchange", { oldURL: before.href, newURL: to }));
  };
}
