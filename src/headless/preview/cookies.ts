// The cookies of one preview: kept while its page is open, shared by all ports as browsers share them, never stored.

interface Cookie {
  readonly value: string;
  readonly httpOnly: boolean;
}

export class Cookies {
  readonly #jar = new Map<string, Cookie>();

  /** One Set-Cookie line; from a document itself (`document.cookie = …`) when `script`. */
  set(line: string, script = false): void {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    const at = pair.indexOf("=");
    const name = at < 0 ? "" : pair.slice(0, at);
    const value = pair.slice(at + 1);
    const has = (wanted: string): string | undefined => attributes.find((text) => text.toLowerCase().split("=")[0] === wanted)?.split("=").slice(1).join("=");
    const httpOnly = has("httponly") !== undefined;
    if (script && (httpOnly || this.#jar.get(name)?.httpOnly)) return;
    const age = has("max-age");
    const ends = has("expires");
    const isOver = age !== undefined ? Number(age) <= 0 : ends !== undefined && Date.parse(ends) <= Date.now();
    if (isOver) this.#jar.delete(name);
    else this.#jar.set(name, { value, httpOnly });
  }

  /** For a request's Cookie field; without those that a script may not see when it is for one. */
  text(script = false): string {
    return [...this.#jar].filter(([, { httpOnly }]) => !script || !httpOnly).map(([name, { value }]) => (name === "" ? value : `${name}=${value}`)).join("; ");
  }
}
