// Scripts of a document as blob addresses. A module's imports are followed and made first, each once; of modules that
// import each other in a circle, the one that comes first stands in for the other by a module with its names only, which
// are filled as soon as there is something to fill them with (as es-module-shims does it).
import { servedUrl } from "../served-url.ts";
import type { Place } from "./location.ts";
import { classicScript, type ModuleText, moduleText } from "./script-code.ts";
import type { Served } from "./served.ts";

/** A module that has been read. `sheet`: nothing to rewrite, as with JSON and CSS. */
interface Read {
  readonly url: string;
  readonly text: ModuleText;
  /** Addresses of its imports, in their order. */
  readonly imports: readonly string[];
}

interface ImportMap {
  readonly imports?: Readonly<Record<string, string>>;
  readonly scopes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export class Scripts {
  readonly #served: Served;
  readonly #place: Place;
  readonly #read = new Map<string, Promise<Read | undefined>>();
  readonly #known = new Map<string, Read>();
  readonly #blobs = new Map<string, string>();
  readonly #stand = new Map<string, string>();
  #map: ImportMap = {};
  #inline = 0;

  constructor(served: Served, place: Place) {
    this.#served = served;
    this.#place = place;
  }

  /** `<script type="importmap">`. */
  setImportMap(text: string): void {
    this.#map = JSON.parse(text) as ImportMap;
  }

  /** A classic script's text, or that at an address. Undefined when there is none. */
  async classic(url: string): Promise<string | undefined> {
    const { ok, bytes } = await this.#served.file(url);
    return ok ? this.inline(new TextDecoder().decode(bytes), url) : undefined;
  }

  inline(text: string, name = `${this.#place.url.href} inline ${++this.#inline}`): string {
    return blobOf(`${classicScript(text)}\n//# sourceURL=${name}`);
  }

  /** A module with all it imports; a script that throws when one of them is missing. */
  async module(url: string): Promise<string> {
    try {
      await this.#readAll(url);
      return this.#blob(url, []);
    } catch (error) {
      return blobOf(`throw new TypeError(${JSON.stringify(error instanceof Error ? error.message : String(error))})`);
    }
  }

  async inlineModule(text: string, base: string): Promise<string> {
    const name = `${base.replace(/#.*/, "")}#inline-module-${++this.#inline}`;
    this.#read.set(name, this.#parse(name, text, base));
    return this.module(name);
  }

  /** `import()`. */
  async load(specifier: string, base: string): Promise<unknown> {
    const url = this.#resolve(specifier, base);
    await this.#readAll(url);
    return import(/* @vite-ignore */ this.#blob(url, []));
  }

  async #readAll(url: string): Promise<void> {
    const seen = new Set<string>();
    const visit = async (address: string): Promise<void> => {
      if (seen.has(address)) return;
      seen.add(address);
      let reading = this.#read.get(address);
      if (!reading) {
        reading = this.#fetch(address);
        this.#read.set(address, reading);
      }
      const read = await reading;
      if (!read) return;
      this.#known.set(address, read);
      await Promise.all(read.imports.map(visit));
    };
    await visit(url);
  }

  async #fetch(url: string): Promise<Read | undefined> {
    if (!servedUrl(url)) throw new TypeError(`Failed to load the module ${url}: it is on no server of the container.`);
    const { ok, status, type, bytes, url: at } = await this.#served.file(url);
    if (!ok) throw new TypeError(`Failed to load the module ${url}: the server answered ${status}.`);
    if (/^(?:application\/json|text\/css)$|\+json$/.test(type)) {
      this.#blobs.set(url, URL.createObjectURL(new Blob([bytes], { type })));
      return undefined;
    }
    if (!/javascript|ecmascript/.test(type)) throw new TypeError(`Failed to load the module ${url}: the server answered with ${type || "no type"}, not JavaScript.`);
    return this.#parse(url, new TextDecoder().decode(bytes), at);
  }

  async #parse(url: string, source: string, base: string): Promise<Read> {
    const text = moduleText(source, base);
    return { url, text, imports: text.imports.map(({ specifier }) => this.#resolve(specifier, base)) };
  }

  /** `above` are the modules that are being made and import this one. */
  #blob(url: string, above: readonly string[]): string {
    const made = this.#blobs.get(url);
    if (made !== undefined) return made;
    const read = this.#known.get(url);
    if (!read) throw new TypeError(`Failed to load the module ${url}.`);
    const inside = [...above, url];
    const filled: string[] = [];
    const addresses = read.imports.map((to, i) => {
      if (inside.includes(to) && !this.#blobs.has(to)) return this.#standIn(to);
      const address = this.#blob(to, inside);
      const stand = this.#stand.get(to);
      // Whoever imports the real module fills the one that stands in for it.
      if (stand !== undefined) filled.push(`import * as __m${i} from "${address}"; import { __fill as __f${i} } from "${stand}"; __f${i}(__m${i});`);
      return address;
    });
    const own = this.#stand.get(url);
    const early = own === undefined ? "" : `import { __fill } from "${own}"; __fill({ ${read.text.hoisted.map(([exported, local]) => `${JSON.stringify(exported)}: ${local}`).join(", ")} });`;
    const blob = blobOf(`${early}${filled.join("")}${read.text.with(addresses)}\n//# sourceURL=${url}`);
    this.#blobs.set(url, blob);
    return blob;
  }

  #standIn(url: string): string {
    let stand = this.#stand.get(url);
    if (stand === undefined) {
      const names = [...this.#exportsOf(url, new Set())];
      stand = blobOf(`let ${["_", ...names.map((_, i) => `e${i}`)].join(", ")}; export { ${["_ as __stand", ...names.map((name, i) => `e${i} as ${JSON.stringify(name)}`)].join(", ")} };
        export function __fill(m) { ${names.map((name, i) => `if (${JSON.stringify(name)} in m) e${i} = m[${JSON.stringify(name)}];`).join(" ")} }`);
      this.#stand.set(url, stand);
    }
    return stand;
  }

  #exportsOf(url: string, seen: Set<string>): Set<string> {
    const read = this.#known.get(url);
    if (!read || seen.has(url)) return new Set();
    seen.add(url);
    const names = new Set(read.text.exports);
    read.text.imports.forEach(({ all }, i) => {
      if (all) for (const name of this.#exportsOf(read.imports[i]!, seen)) if (name !== "default") names.add(name);
    });
    return names;
  }

  #resolve(specifier: string, base: string): string {
    const isPath = /^(?:\.{0,2}\/)/.test(specifier);
    const url = isPath ? new URL(specifier, base).href : URL.parse(specifier)?.href;
    for (const [scope, imports] of Object.entries(this.#map.scopes ?? {})) {
      if (base.startsWith(new URL(scope, document.baseURI).href)) {
        const found = mapped(specifier, url, imports);
        if (found !== undefined) return found;
      }
    }
    const found = mapped(specifier, url, this.#map.imports ?? {}) ?? url;
    if (found === undefined) throw new TypeError(`Failed to resolve module specifier "${specifier}" of ${base}. Relative references must start with either "/", "./", or "../".`);
    return found;
  }
}

/** By the longest key that fits, as the standard has it. */
function mapped(specifier: string, url: string | undefined, imports: Readonly<Record<string, string>>): string | undefined {
  const key = Object.keys(imports)
    .filter((name) => [specifier, url].some((wanted) => wanted !== undefined && (wanted === keyUrl(name) || wanted === name || (name.endsWith("/") && (wanted.startsWith(name) || wanted.startsWith(keyUrl(name)))))))
    .sort((a, b) => b.length - a.length)[0];
  if (key === undefined) return undefined;
  const rest = key.endsWith("/") ? (specifier.startsWith(key) ? specifier.slice(key.length) : (url ?? "").slice(keyUrl(key).length)) : "";
  return new URL(imports[key]! + rest, document.baseURI).href;
}

function keyUrl(key: string): string {
  return /^(?:\.{0,2}\/)/.test(key) ? new URL(key, document.baseURI).href : key;
}

function blobOf(text: string): string {
  return URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
}
