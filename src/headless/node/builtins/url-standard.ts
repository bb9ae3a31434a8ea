// Chromium's URL where it departs from the standard, and so from Node: it escapes what no host may hold instead of refusing
// it ("http://a b"), `*` in a host, `^` and `|` in a path, and keeps `localhost` in file URLs, which it gives an origin.
// (Chromium 143, https://wpt.fyi/results/url; a browser that passes those tests makes this file needless.)
// Left: `'` in credentials and in queries of schemes of one's own, `%2e` beside other text, drive letters under `..`.
import { nodeError } from "../errors.ts";

/** What stands for `^` and `|` in a path while the engine reads it: noncharacters, which no host may hold. */
const STAND_INS = { "^": "\ufdd0", "|": "\ufdd1" } as const;
const WRITTEN: readonly (readonly [escaped: string, plain: string, encoded: string])[] = [["%EF%B7%90", "^", "%5E"], ["%EF%B7%91", "|", "%7C"]];
const ESCAPED = "%EF%B7%9";
const SPECIAL = /^(https?|wss?|ftp|file):$/;

type Native = Readonly<Record<string, { get(this: URL): string; set?(this: URL, value: string): void }>>;

const standIn = (text: string): string => text.replaceAll(/[\^|]/g, (found) => STAND_INS[found as "^"]);

/** An address before the engine reads it. One that has what the stand-ins become is left alone. */
function prepared(address: string): string {
  if (/%EF%B7%9[01]|[\ufdd0\ufdd1]/i.test(address)) return address;
  const end = address.search(/[?#]/);
  const head = end < 0 ? address : address.slice(0, end);
  if (!/[\^|]/.test(head)) return address;
  return standIn(head.replace(/^(\s*file:[\\/]*[a-z])\|(?=[\\/]|$)/i, "$1:")) + (end < 0 ? "" : address.slice(end));
}

/** URLs that hold stand-ins. */
const standing = new WeakSet<URL>();

function plain(url: URL, text: string): string {
  return standing.has(url) ? WRITTEN.reduce((read, [escaped, character]) => read.replaceAll(escaped, character), text) : text;
}

const encoded = (url: URL, text: string): string => (standing.has(url) ? WRITTEN.reduce((read, [escaped, , code]) => read.replaceAll(escaped, code), text) : text);
const starred = (text: string): string => (text.includes("%2A") ? text.replaceAll("%2A", "*") : text);

/** Changes the engine's prototype. Returns how one is made: as `new URL`, throwing a TypeError when the standard refuses. */
export function followStandard(prototype: URL): (args: readonly string[], make: (args: readonly string[]) => URL) => URL {
  const native = Object.fromEntries(
    ["href", "origin", "protocol", "username", "password", "host", "hostname", "pathname"].map((name) => [name, Object.getOwnPropertyDescriptor(prototype, name)]),
  ) as unknown as Native;
  const read = (url: URL, name: string): string => native[name]?.get.call(url) ?? "";
  const write = (url: URL, name: string, value: string): void => native[name]?.set?.call(url, value);

  const isAllowed = (url: URL): boolean => {
    const host = read(url, "hostname");
    return !host.includes("%") || (SPECIAL.test(read(url, "protocol")) ? !starred(host).includes("%") : !(standing.has(url) && host.includes(ESCAPED)));
  };
  const settled = (url: URL): URL => {
    if (read(url, "hostname") === "localhost" && read(url, "protocol") === "file:") write(url, "hostname", "");
    return url;
  };
  const address = (url: URL): string => {
    const href = read(url, "href");
    if (!href.includes("%2A") && !standing.has(url)) return href;
    const [before = "", login = "", host = ""] = /^[^:]*:\/\/([^/?#]*@)?([^/?#]*)/.exec(href) ?? [];
    const shown = before.slice(0, before.length - login.length - host.length) + encoded(url, login) + (SPECIAL.test(read(url, "protocol")) ? starred(host) : host);
    return shown + plain(url, href.slice(before.length));
  };
  /** Does not change it when the standard would not. */
  const place = (name: "host" | "hostname") => (url: URL, value: string): void => {
    if (name === "host" && read(url, "protocol") === "file:" && /^[^/?#\\[]*:/.test(value)) return;
    const before = read(url, "href");
    write(url, name, value);
    if (!isAllowed(url)) write(url, "href", before);
    settled(url);
  };

  const accessors: Readonly<Record<string, readonly [get: (url: URL) => string, set?: (url: URL, value: string) => void]>> = {
    href: [address, (url, value) => {
      const before = read(url, "href");
      try {
        const given = prepared(value);
        if (given !== value) standing.add(url);
        write(url, "href", given);
        if (isAllowed(url)) return void settled(url);
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
      write(url, "href", before);
      throw nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input: value });
    }],
    origin: [(url) => (read(url, "protocol") === "file:" ? "null" : starred(read(url, "origin")))],
    username: [(url) => encoded(url, read(url, "username")), (url, value) => write(url, "username", value)],
    password: [(url) => encoded(url, read(url, "password")), (url, value) => write(url, "password", value)],
    host: [(url) => (SPECIAL.test(read(url, "protocol")) ? starred(read(url, "host")) : read(url, "host")), place("host")],
    hostname: [(url) => (SPECIAL.test(read(url, "protocol")) ? starred(read(url, "hostname")) : read(url, "hostname")), place("hostname")],
    pathname: [(url) => plain(url, read(url, "pathname")), (url, value) => {
      const given = standIn(value);
      if (given !== value) standing.add(url);
      write(url, "pathname", given);
    }],
  };
  for (const [name, [get, set]] of Object.entries(accessors)) {
    const made = Object.getOwnPropertyDescriptor({
      get [name]() {
        return get(this as unknown as URL);
      },
      set [name](value: unknown) {
        set?.(this as unknown as URL, String(value));
      },
    }, name);
    if (made && !set) delete made.set;
    Object.defineProperty(prototype, name, { ...Object.getOwnPropertyDescriptor(prototype, name), ...made });
  }
  for (const name of ["toString", "toJSON"] as const) {
    const made = { [name](this: URL): string {
      return address(this);
    } };
    Object.defineProperty(prototype, name, { ...Object.getOwnPropertyDescriptor(prototype, name), value: made[name] });
  }
  return (args, make) => {
    const texts = args.map(prepared);
    const url = make(texts);
    if (texts.some((text, k) => text !== args[k])) standing.add(url);
    if (!isAllowed(url)) throw new TypeError("Invalid URL");
    return settled(url);
  };
}
