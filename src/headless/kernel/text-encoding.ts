// Node's names for text encodings, as far as the client's readFile and writeFile take them.

/** `bytes` as text. Throws for an unknown encoding. */
export function decodeBytes(bytes: Uint8Array, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case "utf8":
    case "utf-8":
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    case "utf16le":
    case "utf-16le":
    case "ucs2":
    case "ucs-2":
      return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes);
    case "latin1":
    case "binary":
      return latin1(bytes);
    case "ascii":
      return latin1(bytes.map((byte) => byte & 0x7f));
    case "base64":
      return btoa(latin1(bytes));
    case "base64url":
      return btoa(latin1(bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
    case "hex":
      return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    default:
      throw new Error(`Unknown encoding: ${encoding}`);
  }
}

/** Text as bytes. Throws for an unknown encoding. */
export function encodeText(text: string, encoding: string): Uint8Array {
  switch (encoding.toLowerCase()) {
    case "utf8":
    case "utf-8":
      return new TextEncoder().encode(text);
    case "utf16le":
    case "utf-16le":
    case "ucs2":
    case "ucs-2": {
      const bytes = new Uint8Array(text.length * 2);
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true);
      return bytes;
    }
    case "latin1":
    case "binary":
    case "ascii":
      return fromLatin1(text);
    case "base64":
    case "base64url":
      return fromLatin1(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
    case "hex":
      return Uint8Array.from(text.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));
    default:
      throw new Error(`Unknown encoding: ${encoding}`);
  }
}

/** One character per byte. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/** The low byte of every character. */
export function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
