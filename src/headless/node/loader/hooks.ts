// Hooks of the ES module loader (`module.register`, `--import` of what calls it, `--experimental-loader`): the chain of
// `resolve` and `load`, newest first, with the loader's own behaviour at its end, and what Node demands of each answer.
// Node runs hooks in a thread of their own; here they run in the process, loaded by a loader of their own (hooks-loader.ts).
// Two things differ: globals are shared, and what must answer at once (`import.meta.resolve`, a `require` of what the text does not
// name) asks no hooks.
import { checkString, invalidArgType, invalidArgValue, nodeError, received } from "../errors.ts";
import type { AnyFunction, Dict } from "../runtime.ts";

export type Attributes = Readonly<Record<string, string>>;

export interface ResolveContext {
  readonly conditions: readonly string[];
  readonly importAttributes: Attributes;
  /** Undefined for the main program. */
  readonly parentURL: string | undefined;
}

export interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly importAttributes?: Attributes | undefined;
}

export interface LoadContext {
  readonly importAttributes: Attributes;
  readonly format: string | null | undefined;
}

export interface Loaded {
  readonly format: string;
  readonly source?: string | ArrayBuffer | ArrayBufferView | null | undefined;
}

/** What the loader does without hooks. */
export interface DefaultHooks {
  resolve(specifier: string, context: ResolveContext): Resolved;
  load(url: string, context: LoadContext): Loaded;
}

interface Hook {
  /** The module that it is from, as it was named, for messages. */
  readonly from: string;
  readonly run: AnyFunction;
}

type Name = "resolve" | "load";
const NEXT = { resolve: "nextResolve", load: "nextLoad" } as const;

export class ModuleHooks {
  readonly #chains: Record<Name, Hook[]> = { resolve: [], load: [] };
  /** Hooks that are still on their way in; what is imported meanwhile waits for them. */
  #pending: Promise<void> | undefined;

  get active(): boolean {
    return this.#pending !== undefined || this.#chains.resolve.length > 0 || this.#chains.load.length > 0;
  }

  /** What `ready` brings takes part from then on: it resolves with the exports of a module of hooks. */
  add(from: string, exported: Dict | Promise<Dict>, data: unknown): void {
    if (this.#pending === undefined && !(exported instanceof Promise)) {
      const initialized = this.#take(from, exported, data);
      if (initialized instanceof Promise) this.#wait(initialized);
      return;
    }
    this.#wait(Promise.all([exported, this.#pending]).then(([made]) => this.#take(from, made, data)));
  }

  /** Settles when no hooks are on their way any more. */
  async ready(): Promise<void> {
    while (this.#pending) await this.#pending;
  }

  #wait(initialized: Promise<unknown>): void {
    const pending = initialized.then(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    this.#pending = pending;
  }

  #take(from: string, exported: Dict, data: unknown): unknown {
    for (const name of ["resolve", "load"] as const) {
      const run = exported[name];
      if (run) this.#chains[name].push({ from, run: run as AnyFunction });
    }
    const { initialize } = exported;
    return initialize ? Reflect.apply(initialize as AnyFunction, undefined, [data]) : undefined;
  }

  async resolve(specifier: string, context: ResolveContext, own: DefaultHooks): Promise<Resolved> {
    await this.ready();
    const { answer, asked } = await this.#ask("resolve", specifier, { ...context }, (name, given) => own.resolve(name, given as unknown as ResolveContext));
    const { url, format, importAttributes } = answer as { url: unknown; format: unknown; importAttributes: unknown };
    if (typeof url !== "string" || !URL.canParse(url)) throw badProperty("a URL string", asked, "url", url);
    if (format != null && typeof format !== "string") throw badProperty("a string", asked, "format", format);
    if (importAttributes !== undefined && (typeof importAttributes !== "object" || importAttributes === null)) throw badProperty("an object", asked, "importAttributes", importAttributes);
    return { url, format, importAttributes: importAttributes as Attributes | undefined };
  }

  async load(url: string, context: LoadContext, own: DefaultHooks): Promise<Loaded> {
    const { answer, asked } = await this.#ask("load", url, { ...context }, (name, given) => own.load(name, given as unknown as LoadContext));
    const { format, source } = answer as { format: unknown; source: unknown };
    if (typeof format !== "string") throw badProperty("a string", asked, "format", format);
    const isSource = source == null || typeof source === "string" || source instanceof ArrayBuffer || ArrayBuffer.isView(source);
    if (!isSource) throw badProperty("a string, an ArrayBuffer, or a TypedArray", asked, "source", source);
    return { format, source: source as NonNullable<Loaded["source"]> };
  }

  /** The answer, and which call gave it last. */
  async #ask(name: Name, subject: string, context: Dict, own: (subject: string, context: Dict) => object): Promise<{ answer: Dict; asked: string }> {
    const chain = this.#chains[name];
    const next = NEXT[name];
    let asked = "";
    let ended = false;
    const step = (depth: number) => {
      const call = async (wanted: unknown, more?: unknown): Promise<unknown> => {
        const hook = chain[depth];
        const here = `${hook ? hook.from : `node:internal/modules/esm/${name}`} '${name}'`;
        const argument = `${here} hook's ${next}()`;
        checkSubject(name, wanted, more, argument);
        if (more !== undefined) Object.assign(context, more);
        if (!hook) {
          ended = true;
          asked = here;
          return own(wanted as string, context);
        }
        const answer = (await Reflect.apply(hook.run, undefined, [wanted, context, step(depth - 1)])) as Dict | undefined;
        asked = here;
        if (typeof answer !== "object" || answer === null) throw nodeError(TypeError, "ERR_INVALID_RETURN_VALUE", `Expected an object to be returned from the "${argument}" function but got ${describe(answer)}.`);
        if (answer["shortCircuit"] === true) ended = true;
        if (!ended) throw nodeError(Error, "ERR_LOADER_CHAIN_INCOMPLETE", `"${here}" did not call the next hook in its chain and did not explicitly signal a short circuit. If this is intentional, include \`shortCircuit: true\` in the hook's return.`);
        return answer;
      };
      return Object.defineProperty(call, "name", { value: next });
    };
    const answer = (await step(chain.length - 1)(subject)) as Dict;
    return { answer, asked };
  }
}

function checkSubject(name: Name, subject: unknown, context: unknown, asked: string): void {
  checkString(subject, `${asked} ${name === "resolve" ? "specifier" : "url"}`);
  if (name === "load" && !URL.canParse(subject)) throw invalidArgValue(`${asked} url`, subject, "should be a URL string");
  if (context !== undefined && (typeof context !== "object" || context === null)) throw invalidArgType(`${asked} context`, "object", context);
}

const describe = (value: unknown): string => received(value).replace(/^Received /, "");

function badProperty(expected: string, hook: string, property: string, value: unknown): Error {
  return nodeError(TypeError, "ERR_INVALID_RETURN_PROPERTY_VALUE", `Expected ${expected} to be returned for the "${property}" from the "${hook}" hook but got ${describe(value)}.`);
}
