// A shell's variables: text, lists, maps, and what `declare` says of them. Locals hide what they cover until their function
// returns, and functions called meanwhile see them, as in bash.

export interface Variable {
  /** Undefined: declared and not set. A list or map keeps its values in `items`. */
  text: string | undefined;
  items: Map<number, string> | Map<string, string> | undefined;
  kind: "text" | "list" | "map";
  exported: boolean;
  readonly: boolean;
  integer: boolean;
  letters: "upper" | "lower" | undefined;
  /** Its text is the name of another. */
  reference: boolean;
}

export class ReadonlyError extends Error {}

export class Variables {
  #all = new Map<string, Variable>();
  /** For each function that runs: what its locals hide. */
  #frames: Map<string, Variable | undefined>[] = [];

  constructor(environment: Readonly<Record<string, string>> = {}) {
    for (const [name, text] of Object.entries(environment)) if (/^[A-Za-z_]\w*$/.test(name)) this.#all.set(name, variable({ text, exported: true }));
  }

  clone(): Variables {
    const copy = new Variables();
    for (const [name, held] of this.#all) copy.#all.set(name, cloned(held));
    copy.#frames = this.#frames.map((frame) => new Map([...frame].map(([name, held]) => [name, held && cloned(held)])));
    return copy;
  }

  find(name: string): Variable | undefined {
    return this.#all.get(this.resolve(name));
  }

  /** Through references (`declare -n`). */
  resolve(name: string): string {
    let at = name;
    for (let i = 0; i < 10; i++) {
      const held = this.#all.get(at);
      if (!held?.reference || held.text === undefined) return at;
      at = held.text;
    }
    return at;
  }

  names(): string[] {
    return [...this.#all.keys()].sort();
  }

  /** Text, or the element 0 of a list or map. */
  get(name: string): string | undefined {
    const held = this.find(name);
    return held?.items ? element(held, "0") : held?.text;
  }

  /** `index` is a number or a key. */
  getElement(name: string, index: string): string | undefined {
    const held = this.find(name);
    return held && element(held, index);
  }

  /** Of a list in the order of its indices, of text itself. */
  entries(name: string): (readonly [key: string, value: string])[] {
    const held = this.find(name);
    if (!held) return [];
    if (!held.items) return held.text === undefined ? [] : [["0", held.text]];
    const all = [...held.items].map(([key, value]) => [String(key), value] as const);
    return held.kind === "list" ? all.sort(([a], [b]) => Number(a) - Number(b)) : all;
  }

  /** Throws ReadonlyError. `value` has been evaluated if the variable is an integer. */
  set(name: string, value: string): void {
    const held = this.writable(name);
    const text = lettered(held, value);
    if (held.kind === "text") held.text = text;
    else put(held, "0", text);
  }

  setElement(name: string, index: string, value: string): void {
    const held = this.writable(name);
    if (held.kind === "text") makeList(held);
    put(held, index, lettered(held, value));
  }

  /** Replaces all elements. */
  setAll(name: string, entries: Iterable<readonly [string, string]>): void {
    const held = this.writable(name);
    if (held.kind === "text") held.kind = "list";
    held.text = undefined;
    held.items = new Map<never, string>();
    for (const [key, value] of entries) put(held, key, lettered(held, value));
  }

  setList(name: string, values: readonly string[]): void {
    this.setAll(name, values.map((value, i) => [String(i), value] as const));
  }

  /** Makes it if it is not there. Throws ReadonlyError. */
  writable(name: string): Variable {
    const real = this.resolve(name);
    let held = this.#all.get(real);
    if (held?.readonly) throw new ReadonlyError(`${real}: readonly variable`);
    if (!held) {
      held = variable({});
      this.#all.set(real, held);
    }
    return held;
  }

  /** For its attributes, a readonly one too. */
  declared(name: string, follow = true): Variable {
    const real = follow ? this.resolve(name) : name;
    const held = this.#all.get(real) ?? variable({});
    this.#all.set(real, held);
    return held;
  }

  unset(name: string): void {
    const real = this.resolve(name);
    if (this.#all.get(real)?.readonly) throw new ReadonlyError(`${real}: cannot unset: readonly variable`);
    this.#all.delete(real);
  }

  unsetElement(name: string, index: string): void {
    const held = this.find(name);
    if (held?.kind === "map") (held.items as Map<string, string>).delete(index);
    else if (held?.kind === "list") (held.items as Map<number, string>).delete(listIndex(held, index));
    else this.unset(name);
  }

  exported(): Record<string, string> {
    const out: Record<string, string> = {};
    for (const [name, held] of this.#all) if (held.exported && held.kind === "text" && held.text !== undefined) out[name] = held.text;
    return out;
  }

  pushFrame(): void {
    this.#frames.push(new Map());
  }

  popFrame(): void {
    for (const [name, held] of this.#frames.pop() ?? []) {
      if (held) this.#all.set(name, held);
      else this.#all.delete(name);
    }
  }

  get inFunction(): boolean {
    return this.#frames.length > 0;
  }

  /** A new variable that hides the one of that name until the function returns. */
  makeLocal(name: string): Variable {
    const frame = this.#frames.at(-1);
    if (!frame || frame.has(name)) return this.declared(name, false);
    const hidden = this.#all.get(name);
    frame.set(name, hidden);
    const held = variable({ exported: hidden?.exported ?? false });
    this.#all.set(name, held);
    return held;
  }
}

function variable(given: Partial<Variable>): Variable {
  return { text: undefined, items: undefined, kind: "text", exported: false, readonly: false, integer: false, letters: undefined, reference: false, ...given };
}

function cloned(held: Variable): Variable {
  return { ...held, items: held.items && (new Map(held.items as Map<string, string>) as Variable["items"]) };
}

function element(held: Variable, index: string): string | undefined {
  if (held.kind === "map") return (held.items as Map<string, string>).get(index);
  if (held.kind === "list") return (held.items as Map<number, string>).get(listIndex(held, index));
  return index === "0" ? held.text : undefined;
}

function put(held: Variable, index: string, value: string): void {
  held.items ??= new Map<never, string>();
  if (held.kind === "map") (held.items as Map<string, string>).set(index, value);
  else (held.items as Map<number, string>).set(listIndex(held, index), value);
}

/** Below zero: from the end. */
function listIndex(held: Variable, index: string): number {
  const n = Number(index);
  return n < 0 ? Math.max(-1, ...(held.items as Map<number, string>).keys()) + 1 + n : n;
}

/** Text becomes the element 0. */
export function makeList(held: Variable, kind: "list" | "map" = "list"): void {
  if (held.kind !== "text") return;
  held.kind = kind;
  held.items = new Map<never, string>();
  if (held.text !== undefined) put(held, "0", held.text);
  held.text = undefined;
}

function lettered(held: Variable, value: string): string {
  return held.letters === "upper" ? value.toUpperCase() : held.letters === "lower" ? value.toLowerCase() : value;
}
