// Addresses of servers of the container: http on this machine, whatever it is called. Everything else is outside.

const HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "0.0.0.0", "[::1]"]);

/** The address, or undefined for what is no server of the container. Throws nothing. */
export function servedUrl(url: string, base?: string): URL | undefined {
  const parsed = URL.parse(url, base);
  return parsed?.protocol === "http:" && HOSTS.has(parsed.hostname) ? parsed : undefined;
}

/** `#3000/a?b#c` is http://localhost:3000/a?b#c; undefined for what names no port. */
export function urlOfHash(hash: string): URL | undefined {
  const match = /^#(\d{1,5})(.*)$/s.exec(hash);
  if (!match || Number(match[1]) < 1 || Number(match[1]) > 65_535) return undefined;
  const rest = match[2] ?? "";
  return servedUrl(rest.startsWith("/") ? rest : `/${rest}`, `http://localhost:${match[1]}/`);
}

/** The way back. */
export function hashOfUrl({ port, pathname, search, hash }: URL): string {
  return `#${port || "80"}${pathname}${search}${hash}`;
}
