// Paths and file: URLs, as `node:url` converts them.
import { nodeError } from "./errors.ts";

/** Absolute path to URL; what a URL would read as syntax is escaped, and what Node escapes besides. */
export function fileToUrl(path: string): string {
  const escaped = path.replace(/[%\\\n\r\t ?#[\]^|~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
  return new URL(`file://${escaped}`).href;
}

export function urlToFile(url: URL | string): string {
  const parsed = typeof url === "string" ? new URL(url) : url;
  if (parsed.protocol !== "file:") throw nodeError(TypeError, "ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
  if (parsed.hostname !== "") throw nodeError(TypeError, "ERR_INVALID_FILE_URL_HOST", 'File URL host must be "localhost" or empty on linux');
  if (/%2f/i.test(parsed.pathname)) throw nodeError(TypeError, "ERR_INVALID_FILE_URL_PATH", "File URL path must not include encoded / characters");
  return decodeURIComponent(parsed.pathname);
}
