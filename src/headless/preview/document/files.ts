// Files that a document shows, as blob addresses: images, fonts, media, and style sheets with all they refer to.
import { servedUrl } from "../served-url.ts";
import type { Served } from "./served.ts";

export class Files {
  readonly #served: Served;
  readonly #blobs = new Map<string, Promise<string | undefined>>();

  constructor(served: Served) {
    this.#served = served;
  }

  /** The address to use instead; undefined where there is nothing, or nothing of ours. */
  blob(url: string): Promise<string | undefined> {
    return this.#once(url, async (address) => {
      const { ok, type, bytes } = await this.#served.file(address);
      return ok ? URL.createObjectURL(new Blob([bytes], { type })) : undefined;
    });
  }

  /** The same for a style sheet; `above` are those that import it. */
  async sheet(url: string, above: readonly string[] = []): Promise<string | undefined> {
    const { ok, bytes, url: at } = await this.#served.file(url).catch(() => MISSING);
    return ok ? URL.createObjectURL(new Blob([await this.css(new TextDecoder().decode(bytes), at, [...above, url])], { type: "text/css" })) : undefined;
  }

  /** CSS with what it refers to replaced. An import that comes round to itself stays as it is. */
  async css(text: string, base: string, above: readonly string[] = []): Promise<string> {
    const replaced = new Map<string, string>();
    const wanted: Promise<void>[] = [];
    for (const match of text.matchAll(REFERENCE)) {
      const url = servedUrl(addressIn(match), base)?.href;
      if (url === undefined || addressIn(match).startsWith("#")) continue;
      const to = match[1] === undefined ? this.blob(url) : above.includes(url) ? undefined : this.sheet(url, above);
      if (to) wanted.push(to.then((blob) => void (blob && replaced.set(match[0], match[1] === undefined ? `url("${blob}")` : `@import url("${blob}")`))));
    }
    await Promise.all(wanted);
    return text.replace(REFERENCE, (all) => replaced.get(all) ?? all);
  }

  #once(key: string, make: (url: string) => Promise<string | undefined>): Promise<string | undefined> {
    let made = this.#blobs.get(key);
    if (!made) {
      made = make(key).catch(() => undefined); // the browser says itself that it is not there
      this.#blobs.set(key, made);
    }
    return made;
  }
}

const MISSING = { ok: false, bytes: new Uint8Array(), url: "" } as const;

/** `@import "a"`, `@import url(a)`, `url("a")`. */
const REFERENCE = /(@import)\s+(?:url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]+))\s*\)|"([^"]*)"|'([^']*)')|url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"'\s]+))\s*\)/gi;

function addressIn(match: RegExpMatchArray): string {
  return match.slice(2).find((part) => part !== undefined) ?? "";
}
