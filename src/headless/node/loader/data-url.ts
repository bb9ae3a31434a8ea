// Modules that are written into their own URL.
import { nodeError } from "../errors.ts";
import { checkAttributeNames } from "./attributes.ts";

export interface DataModule {
  readonly format: "module" | "json";
  readonly text: string;
}

const FORMATS: Readonly<Record<string, DataModule["format"]>> = { "text/javascript": "module", "application/javascript": "module", "application/json": "json" };

/** The format that the URL's type stands for; undefined: no module's. */
export const dataFormat = (url: string): DataModule["format"] | undefined => FORMATS[/^data:([^,;]*)/.exec(url)?.[1] ?? ""];

/** Throws for what no module is. */
export function readDataUrl(url: string, attributes: Parameters<typeof checkAttributeNames>[0]): DataModule {
  const [, type = "", base64, body] = /^data:([^/,;]+\/[^,;]+)(?:[^,]*?)(;base64)?,(.*)$/s.exec(url) ?? [];
  if (body === undefined) throw nodeError(TypeError, "ERR_INVALID_URL", "Invalid URL", { input: url });
  const format = FORMATS[type];
  if (format === undefined) {
    checkAttributeNames(attributes);
    throw nodeError(RangeError, "ERR_UNKNOWN_MODULE_FORMAT", `Unknown module format: ${type} for URL ${url}`);
  }
  const text = base64 ? new TextDecoder().decode(Uint8Array.from(atob(decodeURIComponent(body)), (c) => c.charCodeAt(0))) : decodeURIComponent(body);
  return { format, text };
}
