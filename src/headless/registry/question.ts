// The only network of the container: two questions to a package registry. They come from a process through the kernel to
// /headless, each hop checks them as hostile, and nothing else can be asked: no other address, no header, no method, no
// credentials. What is asked tells the registry the names of packages, as npm's requests do.

export type RegistryMode =
  /** The network; what is stored when the network fails. */
  | "online"
  | "prefer-offline"
  | "offline";

export type RegistryQuestion =
  | { readonly kind: "document"; readonly registry: string; readonly name: string; readonly mode: RegistryMode }
  /** `integrity` may be empty: then it is not looked for in what is stored, and not stored. */
  | { readonly kind: "tarball"; readonly registry: string; readonly url: string; readonly integrity: string; readonly mode: RegistryMode };

export type RegistryAnswer =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** npm's code: E404, ENEEDCONSENT, ENOTCACHED, ETOOLARGE, … */
  | { readonly ok: false; readonly code: string; readonly message: string };

const NAME = /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/i;
const MAX_URL = 2048;
const MAX_INTEGRITY = 1024;

/** As npm's rules for a name that may be fetched; old names with capitals included. */
export function isPackageName(name: string): boolean {
  return name.length <= 214 && NAME.test(name) && name !== "node_modules" && name !== "favicon.ico";
}

/** The question rebuilt field by field, or undefined if it is none. */
export function checkQuestion(value: unknown): RegistryQuestion | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, registry, name, url, integrity, mode } = value as Readonly<Record<string, unknown>>;
  if (mode !== "online" && mode !== "prefer-offline" && mode !== "offline") return undefined;
  if (typeof registry !== "string" || registryOrigin(registry) === undefined) return undefined;
  if (kind === "document" && typeof name === "string" && isPackageName(name)) return { kind, registry, name, mode };
  if (kind === "tarball" && typeof url === "string" && isTarballOf(url, registry) && typeof integrity === "string" && integrity.length <= MAX_INTEGRITY && /^[\w+/=\-? ]*$/.test(integrity)) {
    return { kind, registry, url, integrity, mode };
  }
  return undefined;
}

/** `https://host`, or undefined for what is no registry's address. Unencrypted ones may only be on this computer. */
export function registryOrigin(registry: string): string | undefined {
  const url = parseUrl(registry);
  if (!url || !registry.endsWith("/")) return undefined;
  const isLocal = url.hostname === "localhost" || url.hostname === "127.0.0.1";
  return url.protocol === "https:" || (url.protocol === "http:" && isLocal) ? url.origin : undefined;
}

/** Tarballs lie on the registry's own host: the only one that was consented to. */
function isTarballOf(tarball: string, registry: string): boolean {
  const url = parseUrl(tarball);
  return url !== undefined && url.origin === registryOrigin(registry) && url.pathname.endsWith(".tgz");
}

function parseUrl(text: string): URL | undefined {
  if (text.length > MAX_URL || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "" ? url : undefined;
}

/** Where a question leads. */
export function urlOf(question: RegistryQuestion): string {
  return question.kind === "tarball" ? question.url : question.registry + question.name.replace("/", "%2f");
}
