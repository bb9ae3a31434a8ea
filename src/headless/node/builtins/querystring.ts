// node:querystring.
import type { Dict } from "../runtime.ts";

const escape = (value: unknown): string => encodeURIComponent(String(value)).replace(/[!'()*]/g, (c) => (c === "!" || c === "'" || c === "(" || c === ")" || c === "*" ? c : encodeURIComponent(c)));

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    throw error;
  }
}

const asText = (value: unknown): string => (typeof value === "string" ? value : typeof value === "number" && Number.isFinite(value) ? String(value) : typeof value === "bigint" || typeof value === "boolean" ? String(value) : "");

function stringify(value: unknown, separator = "&", equals = "=", options: { encodeURIComponent?: (text: string) => string } = {}): string {
  if (typeof value !== "object" || value === null) return "";
  const encode = options.encodeURIComponent ?? escape;
  return Object.entries(value).flatMap(([key, entry]) => (Array.isArray(entry) ? entry : [entry]).map((one) => `${encode(key)}${equals}${encode(asText(one))}`)).join(separator);
}

function parse(text: string, separator = "&", equals = "=", options: { maxKeys?: number; decodeURIComponent?: (text: string) => string } = {}): Dict {
  const result = Object.create(null) as Dict;
  const decode = options.decodeURIComponent ?? unescape;
  const maxKeys = options.maxKeys ?? 1000;
  if (typeof text !== "string" || text === "") return result;
  const parts = text.split(separator).filter(Boolean);
  for (const part of maxKeys > 0 ? parts.slice(0, maxKeys) : parts) {
    const at = part.indexOf(equals);
    const key = decode((at < 0 ? part : part.slice(0, at)).replace(/\+/g, " "));
    const value = at < 0 ? "" : decode(part.slice(at + equals.length).replace(/\+/g, " "));
    const known = result[key];
    result[key] = known === undefined ? value : Array.isArray(known) ? [...(known as unknown[]), value] : [known, value];
  }
  return result;
}

export const querystring: Dict = { stringify, encode: stringify, parse, decode: parse, escape, unescape, unescapeBuffer: unescape };
