// Where the document is: `location` as its code sees it. The frame's own says about:srcdoc and cannot be replaced, so the
// code's references to it are (scripts.ts) with references to what is here.
import { servedUrl } from "../served-url.ts";
import type { Scripts } from "./scripts.ts";
import type { Served } from "./served.ts";

/** The address of the document; changes with its fragment and with history.pushState. */
export interface Place {
  url: URL;
}

/** The name that rewritten code knows it by. */
export const REALM = "__tabwright";

/** Goes to an address: within the document when only the fragment differs, else by a request. */
export function goTo(to: string | URL, place: Place, served: Served, replace = false): void {
  const url = servedUrl(String(to), document.baseURI) ?? URL.parse(String(to), document.baseURI);
  if (!url) throw new DOMException(`'${String(to)}' is not a valid URL.`, "SyntaxError");
  const before = place.url;
  const sameDocument = url.hash !== "" && url.origin + url.pathname + url.search === before.origin + before.pathname + before.search;
  if (!sameDocument) return served.tell({ type: "navigate", to: { url: url.href, method: "GET", headers: [], body: null, replace } });
  const isNew = url.hash !== before.hash;
  place.url = url;
  if (isNew) {
    served.tell({ type: "at", url: url.href, push: !replace, key: 0 });
    dispatchEvent(new HashChangeEvent("hashchange", { oldURL: before.href, newURL: url.href }));
  }
  document.getElementById(decodeURIComponent(url.hash.slice(1)))?.scrollIntoView();
}

export function installLocation(place: Place, served: Served, scripts: Scripts): void {
  const part = (name: "protocol" | "host" | "hostname" | "port" | "pathname" | "search" | "hash"): PropertyDescriptor => ({
    enumerable: true,
    get: () => place.url[name],
    set: (value: unknown) => {
      const url = new URL(place.url);
      url[name] = String(value);
      goTo(url, place, served);
    },
  });
  const location = Object.create(null, {
    href: { enumerable: true, get: () => place.url.href, set: (value: unknown) => goTo(String(value), place, served) },
    origin: { enumerable: true, get: () => place.url.origin },
    protocol: part("protocol"), host: part("host"), hostname: part("hostname"), port: part("port"),
    pathname: part("pathname"), search: part("search"), hash: part("hash"),
    assign: { value: (to: unknown) => goTo(String(to), place, served) },
    replace: { value: (to: unknown) => goTo(String(to), place, served, true) },
    reload: { value: () => served.tell({ type: "reload" }) },
    toString: { value: () => place.url.href },
    ancestorOrigins: { value: [] },
    [Symbol.toPrimitive]: { value: () => place.url.href },
    [Symbol.toStringTag]: { value: "Location" },
  }) as Location;
  const realm = Object.create(null, {
    location: { get: () => location, set: (to: unknown) => goTo(String(to), place, served) },
    importFrom: { value: (base: string) => (specifier: unknown) => scripts.load(String(specifier), base) },
    meta: { value: (url: string) => ({ url, resolve: (specifier: string) => new URL(specifier, url).href }) },
  }) as object;
  Object.defineProperty(window, REALM, { value: Object.freeze(realm) });
  Object.defineProperty(document, "URL", { configurable: true, get: () => place.url.href });
  Object.defineProperty(document, "domain", { configurable: true, get: () => place.url.hostname });
}
