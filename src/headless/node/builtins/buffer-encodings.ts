// Text to bytes and back in Node's encodings, with Node's leniency towards what is no hex or base64.
import { nodeError } from "../errors.ts";

/** Of the engine's texts, in UTF-16 units (V8's String::kMaxLength). */
export const MAX_STRING_LENGTH = 2 ** 29 - 24;

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const ENCODER = new TextEncoder();

export type Encoding = "utf8" | "utf16le" | "latin1" | "ascii" | "hex" | "base64" | "base64url";

const NAMES: Readonly<Record<string, Encoding>> = { "utf8": "utf8", "utf-8": "utf8", "ucs2": "utf16le", "ucs-2": "utf16le", "utf16le": "utf16le", "utf-16le": "utf16le", "latin1": "latin1", "binary": "latin1", "ascii": "ascii", "hex": "hex", "base64": "base64", "base64url": "base64url" };

/** Undefined for what is no encoding. */
export function encodingNamed(name: unknown): Encoding | undefined {
  if (typeof name !== "string") return undefined;
  return NAMES[name] ?? (Object.hasOwn(NAMES, name.toLowerCase()) ? NAMES[name.toLowerCase()] : undefined);
}

const SIXTY_FOUR = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = `${SIXTY_FOUR.slice(0, 62)}-_`;
const NOT_A_DIGIT = 255;
/** Both alphabets: Node reads either. */
const DIGITS = new Uint8Array(128).fill(NOT_A_DIGIT);
for (const alphabet of [SIXTY_FOUR, URL_SAFE]) for (let k = 0; k < 64; k++) DIGITS[alphabet.charCodeAt(k)] = k;

function fromBase64(text: string): Uint8Array {
  const output = new Uint8Array(Math.ceil((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let length = 0;
  for (let k = 0; k < text.length; k++) {
    // The low byte counts, as in Node.
    const code = text.charCodeAt(k) & 0xff;
    if (code === 61) break;
    const digit = code < 128 ? (DIGITS[code] as number) : NOT_A_DIGIT;
    if (digit === NOT_A_DIGIT) continue;
    held = (held << 6) | digit;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    output[length++] = (held >> bits) & 0xff;
  }
  return output.subarray(0, length);
}

function toBase64(bytes: Uint8Array, alphabet: string, padding: string): string {
  let text = "";
  for (let k = 0; k < bytes.length; k += 3) {
    const [a, b = 0, c = 0] = [bytes[k] as number, bytes[k + 1], bytes[k + 2]];
    const triple = (a << 16) | (b << 8) | c;
    text += (alphabet[triple >> 18] as string) + (alphabet[(triple >> 12) & 63] as string);
    text += k + 1 < bytes.length ? (alphabet[(triple >> 6) & 63] as string) : padding;
    text += k + 2 < bytes.length ? (alphabet[triple & 63] as string) : padding;
  }
  return text;
}

const hexDigit = (code: number): number => (code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : code >= 65 && code <= 70 ? code - 55 : -1);

/** Up to the first pair that is no hex. */
function fromHex(text: string): Uint8Array {
  const output = new Uint8Array(text.length >>> 1);
  for (let k = 0; k < output.length; k++) {
    const [high, low] = [hexDigit(text.charCodeAt(2 * k) & 0xff), hexDigit(text.charCodeAt(2 * k + 1) & 0xff)];
    if (high < 0 || low < 0) return output.subarray(0, k);
    output[k] = high * 16 + low;
  }
  return output;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
function toHex(bytes: Uint8Array): string {
  let text = "";
  for (let k = 0; k < bytes.length; k++) text += HEX[bytes[k] as number];
  return text;
}

/** Whole groups of base64. */
const PIECE_BYTES = 3 * 2 ** 14;

/** A text that has grown by a digit at a time takes twenty times its length, enough to end the page: `join` makes flat ones, of two at least (of one it gives that one). */
function inPieces(bytes: Uint8Array, toText: (piece: Uint8Array) => string): string {
  if (bytes.length <= PIECE_BYTES) return toText(bytes);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 2 * PIECE_BYTES) {
    parts.push([at, at + PIECE_BYTES].map((from) => toText(bytes.subarray(from, from + PIECE_BYTES))).join(""));
  }
  return parts.join("");
}

function characters(codes: Uint8Array | Uint16Array): string {
  const parts: string[] = [];
  for (let at = 0; at < codes.length; at += 8192) parts.push(String.fromCharCode(...codes.subarray(at, at + 8192)));
  return parts.join("");
}

export function encodeText(text: string, encoding: Encoding): Uint8Array {
  switch (encoding) {
    case "utf8":
      return ENCODER.encode(text);
    case "latin1":
    case "ascii": {
      const output = new Uint8Array(text.length);
      for (let k = 0; k < text.length; k++) output[k] = text.charCodeAt(k);
      return output;
    }
    case "utf16le": {
      const output = new Uint8Array(text.length * 2);
      for (let k = 0; k < text.length; k++) {
        const code = text.charCodeAt(k);
        output[2 * k] = code;
        output[2 * k + 1] = code >> 8;
      }
      return output;
    }
    case "hex":
      return fromHex(text);
    case "base64":
    case "base64url":
      return fromBase64(text);
    default:
      return encoding satisfies never;
  }
}

/** The engine makes an empty text of what is too long for one, and says nothing. */
export function checkTextLength(bytes: number, perByte = 1): void {
  if (bytes * perByte > MAX_STRING_LENGTH) throw nodeError(Error, "ERR_STRING_TOO_LONG", `Cannot create a string longer than 0x${MAX_STRING_LENGTH.toString(16)} characters`);
}

const PER_BYTE: Readonly<Partial<Record<Encoding, number>>> = { utf16le: 1 / 2, hex: 2, base64: 4 / 3, base64url: 4 / 3 };

export function decodeBytes(bytes: Uint8Array, encoding: Encoding): string {
  checkTextLength(bytes.length, PER_BYTE[encoding]);
  switch (encoding) {
    case "utf8":
      // The engine does not decode shared memory.
      return bytes.length === 0 ? "" : UTF8.decode(bytes.buffer instanceof ArrayBuffer ? bytes : Uint8Array.from(bytes));
    case "latin1":
      return characters(bytes);
    case "ascii":
      return characters(Uint8Array.from(bytes, (byte) => byte & 0x7f));
    case "utf16le": {
      const units = new Uint16Array(bytes.length >>> 1);
      for (let k = 0; k < units.length; k++) units[k] = (bytes[2 * k] as number) | ((bytes[2 * k + 1] as number) << 8);
      return characters(units);
    }
    case "hex":
      return inPieces(bytes, toHex);
    case "base64":
      return inPieces(bytes, (piece) => toBase64(piece, SIXTY_FOUR, "="));
    case "base64url":
      return inPieces(bytes, (piece) => toBase64(piece, URL_SAFE, ""));
    default:
      return encoding satisfies never;
  }
}

/** What `Buffer.byteLength` says: for base64 by the text's length alone. */
export function encodedLength(text: string, encoding: Encoding): number {
  if (encoding === "latin1" || encoding === "ascii") return text.length;
  if (encoding === "utf16le") return text.length * 2;
  if (encoding === "hex") return text.length >>> 1;
  if (encoding === "utf8") return ENCODER.encode(text).length;
  let length = text.length;
  if (text.endsWith("=")) length--;
  if (length > 1 && text[length - 1] === "=") length--;
  return (length * 3) >>> 2;
}

/** Writes as much as fits, in whole characters; returns the bytes written. */
export function writeText(text: string, target: Uint8Array, encoding: Encoding): number {
  if (encoding === "utf8" && target.buffer instanceof ArrayBuffer) return ENCODER.encodeInto(text, target).written;
  const bytes = encodeText(text, encoding);
  const fits = Math.min(bytes.length, target.length);
  const count = encoding === "utf16le" ? fits - (fits % 2) : fits;
  target.set(bytes.subarray(0, count));
  return count;
}
