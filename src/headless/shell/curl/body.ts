// What curl sends with a request: data, a form, a file.
import { joined } from "../../../base/bytes.ts";
import { latin1 } from "../../kernel/text-encoding.ts";
import { baseName } from "../../posix-path.ts";
import { CurlError } from "./error.ts";
import type { CurlOptions, DataPart } from "./options.ts";

export interface Body {
  readonly bytes: Uint8Array;
  /** Headers that go with it unless the user has set them. */
  readonly headers: readonly (readonly [string, string])[];
}

/** A file of the project, or `-` for the command's input; undefined where there is none. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

const encoder = new TextEncoder();
/** What curl takes a form's file for, by its name's end. */
const TYPES: Readonly<Record<string, string>> = { gif: "image/gif", jpg: "image/jpeg", jpeg: "image/jpeg", png: "image/png", svg: "image/svg+xml", txt: "text/plain", htm: "text/html", html: "text/html", pdf: "application/pdf", xml: "application/xml" };

export async function bodyOf({ data, form, upload, get }: CurlOptions, read: ReadFile): Promise<Body | undefined> {
  if (upload !== undefined) {
    const bytes = await read(upload);
    if (!bytes) throw new CurlError(26, `Can't open '${upload}'!`);
    return { bytes, headers: [["Expect", "100-continue"]] };
  }
  if (form.length > 0) return formOf(form, read);
  if (data.length === 0 || get) return undefined;
  const json = data.some(({ kind }) => kind === "json");
  return { bytes: await dataOf(data, read), headers: json ? [["Content-Type", "application/json"], ["Accept", "application/json"]] : [["Content-Type", "application/x-www-form-urlencoded"]] };
}

/** The parts one after the other, with `&` between those that are not JSON. A file that is not there counts as empty, as in curl. */
export async function dataOf(parts: readonly DataPart[], read: ReadFile): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (const [i, part] of parts.entries()) {
    if (i > 0 && part.kind !== "json") pieces.push(encoder.encode("&"));
    pieces.push(await partOf(part, read));
  }
  return joined(pieces);
}

async function partOf({ kind, text }: DataPart, read: ReadFile): Promise<Uint8Array> {
  if (kind === "urlencode") {
    const [, name = "", mark = "", rest = ""] = /^([^=@]*)([=@]?)([^]*)$/.exec(text) ?? [];
    if (mark === "") return encoder.encode(percentEncoded(encoder.encode(name)));
    const value = mark === "=" ? encoder.encode(rest) : ((await read(rest)) ?? new Uint8Array());
    return encoder.encode((name === "" ? "" : `${name}=`) + percentEncoded(value));
  }
  if (kind === "raw" || !text.startsWith("@")) return encoder.encode(text);
  const bytes = (await read(text.slice(1))) ?? new Uint8Array();
  return kind === "data" ? bytes.filter((byte) => byte !== 10 && byte !== 13 && byte !== 0) : bytes;
}

/** Letters, digits and `-._~` as they are, a space as `+`, all other bytes as %XX. */
function percentEncoded(bytes: Uint8Array): string {
  return latin1(bytes).replaceAll(/[^\w\-.~ ]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`).replaceAll(" ", "+");
}

async function formOf(fields: CurlOptions["form"], read: ReadFile): Promise<Body> {
  const boundary = `------------------------${[...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const pieces: Uint8Array[] = [];
  for (const { text, literal } of fields) {
    const at = text.indexOf("=");
    if (at < 0) throw new CurlError(2, `Illegally formatted input field!`);
    const name = text.slice(0, at);
    const { value, type, fileName } = literal ? { value: text.slice(at + 1), type: undefined, fileName: undefined } : withoutNotes(text.slice(at + 1));
    const isFile = !literal && /^[@<]/.test(value);
    const bytes = isFile ? await read(value.slice(1)) : encoder.encode(value);
    if (!bytes) throw new CurlError(26, "Failed to open/read local data from file/application");
    const sent = fileName ?? (isFile && value.startsWith("@") ? baseName(value.slice(1)) : undefined);
    const is = type ?? (sent === undefined ? undefined : (TYPES[/\.(\w+)$/.exec(sent)?.[1]?.toLowerCase() ?? ""] ?? "application/octet-stream"));
    pieces.push(encoder.encode(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${sent === undefined ? "" : `; filename="${sent}"`}\r\n${is === undefined ? "" : `Content-Type: ${is}\r\n`}\r\n`), bytes, encoder.encode("\r\n"));
  }
  pieces.push(encoder.encode(`--${boundary}--\r\n`));
  return { bytes: joined(pieces), headers: [["Content-Type", `multipart/form-data; boundary=${boundary}`]] };
}

/** `value;type=text/plain;filename=a.txt` */
function withoutNotes(text: string): { readonly value: string; readonly type: string | undefined; readonly fileName: string | undefined } {
  const [, value = "", notes = ""] = /^([^]*?)((?:;(?:type|filename)=[^]*)?)$/.exec(text) ?? [];
  const note = (name: string): string | undefined => new RegExp(`;${name}="?([^;"]*)`).exec(notes)?.[1];
  return { value, type: note("type"), fileName: note("filename") };
}
