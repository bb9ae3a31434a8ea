// ES modules while there are hooks: where each import leads and what is there is asked of the chain, which may take its
// time, so the graph is loaded before it is linked. The loader's own behaviour is the end of the chain.
import { isBuiltin } from "../builtins/index.ts";
import { Buffer } from "../builtins/buffer.ts";
import { nodeError } from "../errors.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import { checkAttributes } from "./attributes.ts";
import { dataFormat, readDataUrl } from "./data-url.ts";
import type { EsmRecord } from "./esm-record.ts";
import { type Attributes, type DefaultHooks, type LoadContext, type Loaded, type ModuleHooks, type ResolveContext, type Resolved } from "./hooks.ts";
import { isTypeScript } from "./typescript.ts";

/** What of the loader it works with. */
export interface HookedParts {
  readonly cwd: () => string;
  readonly conditions: readonly string[];
  readonly known: (url: string) => EsmRecord | undefined;
  readonly make: (url: string, format: string, text: string | undefined) => EsmRecord;
  /** Where a specifier leads from a file, by these conditions; the name of a builtin has no URL. */
  readonly locate: (specifier: string, parent: string, conditions: readonly string[]) => { url: string; path: string };
  /** Undefined where only the text can tell. Throws for a file that is no module. */
  readonly formatByName: (path: string) => string | undefined;
  readonly formatOf: (path: string) => string;
  readonly readText: (path: string) => string;
  readonly readFile: (path: string) => Uint8Array;
  /** What `require` of a specifier means in a file: a path or the name of a builtin. Throws for what is not there. */
  readonly locateRequired: (specifier: string, path: string) => string;
}

/** What CommonJS says that it requires. */
const REQUIRED = /\brequire\s*\(\s*(["'])((?:(?!\1)[^\\\n])+)\1\s*\)/g;

export class HookedGraph {
  readonly hooks: ModuleHooks;
  readonly #parts: HookedParts;
  readonly #arriving = new Map<string, Promise<EsmRecord>>();
  /** TypeScript as hooks were given it, types and all, to compile it themselves; what they leave as it is loses its types here. */
  readonly #typed = new Map<string, string>();
  readonly #own: DefaultHooks = { resolve: (specifier, context) => this.#resolve(specifier, context), load: (url, context) => this.#load(url, context) };

  constructor(hooks: ModuleHooks, parts: HookedParts) {
    this.hooks = hooks;
    this.#parts = parts;
  }

  /** The module that an import means; `parentURL` is undefined for the main program. */
  async find(specifier: string, parentURL: string | undefined, attributes: Attributes | undefined): Promise<EsmRecord> {
    const { conditions, known } = this.#parts;
    const importAttributes = attributes ?? {};
    const { url, format, importAttributes: changed } = await this.hooks.resolve(specifier, { conditions, importAttributes, parentURL }, this.#own);
    const there = known(url) ?? this.#arriving.get(url);
    if (there) return there;
    const arriving = this.hooks.load(url, { format, importAttributes: changed ?? importAttributes }, this.#own)
      .then((loaded) => known(url) ?? this.#make(url, loaded))
      .finally(() => this.#arriving.delete(url));
    this.#arriving.set(url, arriving);
    return arriving;
  }

  /** Loads all that a module imports, into `graph`: what is not linked yet. */
  async gather(record: EsmRecord, graph: Set<EsmRecord>): Promise<void> {
    if (graph.has(record) || record.status !== "new") return;
    graph.add(record);
    if (!record.loaded) await (record.loading ??= this.#findDependencies(record));
    await Promise.all([...record.dependencies, ...record.requires.values()].map((dependency) => this.gather(dependency, graph)));
  }

  async #findDependencies(record: EsmRecord): Promise<void> {
    record.dependencies = await Promise.all((record.shape?.requests ?? []).map(({ specifier, attributes }) => this.find(specifier, record.url, attributes)));
    if (record.given !== undefined) await this.#findRequired(record, record.given);
    record.loaded = true;
  }

  /**
   * As in Node, hooks are asked by `require` in CommonJS that a hook gave the text of. They take their time and `require` has none:
   * what the text names is loaded before it runs. The rest, and what hooks do not make CommonJS of, is required without them.
   */
  async #findRequired(record: EsmRecord, text: string): Promise<void> {
    const specifiers = new Set([...text.matchAll(REQUIRED)].map(([, , specifier]) => specifier as string));
    await Promise.all([...specifiers].map(async (specifier) => {
      try {
        const target = this.#parts.locateRequired(specifier, record.path);
        if (target.endsWith(".node")) return;
        const found = await this.find(isBuiltin(target) ? target : fileToUrl(target), record.url, target.endsWith(".json") ? { type: "json" } : undefined);
        if (found.kind !== "esm") record.requires.set(specifier, found);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
    }));
  }

  #make(url: string, { format, source }: Loaded): EsmRecord {
    if (source == null && (format === "module" || format === "json")) {
      throw nodeError(TypeError, "ERR_INVALID_RETURN_PROPERTY_VALUE", `Expected a string, an ArrayBuffer, or a TypedArray to be returned for the "source" from the "load" function but got ${source}.`);
    }
    const text = source == null ? undefined : typeof source === "string" ? source : new TextDecoder().decode(source);
    return this.#parts.make(url, format, text !== undefined && text === this.#typed.get(url) ? this.#parts.readText(urlToFile(url)) : text);
  }

  #resolve(specifier: string, { parentURL, conditions }: ResolveContext): Resolved {
    if (isBuiltin(specifier)) return { url: specifier.startsWith("node:") ? specifier : `node:${specifier}`, format: "builtin" };
    if (specifier.startsWith("node:")) throw nodeError(Error, "ERR_UNKNOWN_BUILTIN_MODULE", `No such built-in module: ${specifier}`);
    const isFile = parentURL === undefined || parentURL.startsWith("file:");
    const absolute = URL.canParse(specifier) ? new URL(specifier) : !isFile && /^\.{0,2}\//.test(specifier) && URL.canParse(specifier, parentURL) ? new URL(specifier, parentURL) : undefined;
    if (absolute && absolute.protocol !== "file:") return { url: absolute.href, format: dataFormat(absolute.href) };
    const parent = parentURL === undefined ? `${this.#parts.cwd()}/` : pathOf(parentURL);
    const { url, path } = this.#parts.locate(absolute?.href ?? specifier, parent, conditions);
    if (isBuiltin(path)) return { url: path.startsWith("node:") ? path : `node:${path}`, format: "builtin" };
    return { url, format: this.#formatHint(path) };
  }

  /** The format as far as it can be told without the file; that there is none is the answer of `load`. */
  #formatHint(path: string): string | null | undefined {
    try {
      return this.#parts.formatByName(path) ?? null;
    } catch (error) {
      if ((error as { code?: string }).code === "ERR_UNKNOWN_FILE_EXTENSION") return undefined;
      throw error;
    }
  }

  #load(url: string, { format, importAttributes }: LoadContext): Loaded {
    if (url.startsWith("node:")) return { format: "builtin", source: null };
    if (url.startsWith("data:")) {
      const data = readDataUrl(url, importAttributes);
      checkAttributes(url, data.format, importAttributes);
      return { format: format ?? data.format, source: data.text };
    }
    if (!url.startsWith("file:")) {
      throw nodeError(Error, "ERR_UNSUPPORTED_ESM_URL_SCHEME", `Only URLs with a scheme in: file, data, and node are supported by the default ESM loader. Received protocol '${new URL(url).protocol}'`);
    }
    const path = urlToFile(url);
    const wanted = format ?? this.#parts.formatOf(path);
    checkAttributes(url, wanted, importAttributes);
    if (wanted === "commonjs") return { format: wanted, source: null };
    const source = Buffer.from(this.#parts.readFile(path) as Uint8Array<ArrayBuffer>);
    if (isTypeScript(path)) this.#typed.set(url, source.toString());
    return { format: wanted, source };
  }
}

/** The file that a module's code thinks it is in; of one that is no file, its URL. */
export const pathOf = (url: string): string => (url.startsWith("file:") ? urlToFile(url) : url);
