// od, xxd and hexdump: bytes as numbers and characters.
import type { ShellState } from "../state.ts";
import { joined } from "../../../base/bytes.ts";
import { readAll } from "../streams.ts";
import { parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";

const NAMES: Readonly<Record<number, string>> = { 0: "\\0", 7: "\\a", 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r" };
const CONTROLS = "nul soh stx etx eot enq ack bel bs ht nl vt ff cr so si dle dc1 dc2 dc3 dc4 nak syn etb can em sub esc fs gs rs us sp".split(" ");
const isPrintable = (byte: number): boolean => byte >= 32 && byte < 127;

interface Format {
  readonly size: number;
  readonly width: number;
  /** Characters after it, as `z` asks. */
  readonly text: boolean;
  shown(view: DataView, at: number): string;
}

function integer(kind: "x" | "o" | "u" | "d", size: number, text: boolean): Format {
  const read = (view: DataView, at: number): bigint => {
    const unsigned = [...Array(size).keys()].reduce((sum, i) => sum + (BigInt(view.getUint8(at + i)) << BigInt(8 * i)), 0n);
    return kind === "d" ? BigInt.asIntN(8 * size, unsigned) : unsigned;
  };
  const digits = kind === "x" ? size * 2 : kind === "o" ? Math.ceil((size * 8) / 3) : String((1n << BigInt(8 * size - (kind === "d" ? 1 : 0))) - 1n).length + (kind === "d" ? 1 : 0);
  return { size, width: digits + 1, text, shown: (view, at) => (kind === "x" || kind === "o" ? read(view, at).toString(kind === "x" ? 16 : 8).padStart(digits, "0") : String(read(view, at))) };
}

function floating(size: number, text: boolean): Format {
  return { size, width: size === 4 ? 16 : 25, text, shown: (view, at) => (size === 4 ? String(Number(view.getFloat32(at, true).toPrecision(8))) : String(view.getFloat64(at, true))) };
}

const CHARACTERS: Format = { size: 1, width: 4, text: false, shown: (view, at) => ((byte) => NAMES[byte] ?? (isPrintable(byte) ? String.fromCharCode(byte) : byte.toString(8).padStart(3, "0")))(view.getUint8(at)) };
const NAMED: Format = { size: 1, width: 4, text: false, shown: (view, at) => ((byte) => CONTROLS[byte] ?? (byte === 127 ? "del" : String.fromCharCode(byte)))(view.getUint8(at) & 127) };

function formatOf(text: string): Format[] {
  return [...text.matchAll(/([acdfoux])([CSIL]|\d+)?(z?)/g)].map(([, kind = "", given = "", z = ""]) => {
    const size = { C: 1, S: 2, I: 4, L: 8 }[given] ?? (given === "" ? (kind === "f" ? 8 : 4) : Number(given));
    if (kind === "a") return NAMED;
    if (kind === "c") return CHARACTERS;
    if (![1, 2, 4, 8].includes(size)) throw new UsageError(`invalid type string ‘${text}’;\nthis system doesn't provide a ${size}-byte integral type`);
    return kind === "f" ? floating(size, z === "z") : integer(kind as "x", size, z === "z");
  });
}

async function allOf(state: ShellState, name: string, paths: readonly string[]): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  for (const path of paths.length > 0 ? paths : ["-"]) {
    const file = await input(state, name, path);
    if (!file) return undefined;
    parts.push(await readAll(file.stream, state.signal));
    file.release();
  }
  return joined(parts);
}

function numberOf(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  const match = /^(0x[0-9a-f]+|\d+)([bkKmM]?)B?$/i.exec(text);
  if (!match) throw new UsageError(`invalid number ‘${text}’`);
  const digits = match[1] ?? "0";
  return (/^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)) * ({ b: 512, k: 1024, m: 1_048_576 }[(match[2] ?? "").toLowerCase()] ?? 1);
}

/** Lines of one kind of dump, equal ones as a star. */
function dump(bytes: Uint8Array, from: number, formats: readonly Format[], perLine: number, address: (at: number) => string, all: boolean): string {
  const unit = Math.max(...formats.map(({ size }) => size));
  const columns = formats.map(({ size, width }) => Math.max(width, ...formats.map((other) => Math.ceil((other.width * size) / other.size))));
  let out = "";
  let before = "";
  let starred = false;
  const padded = new Uint8Array(Math.ceil(bytes.length / unit) * unit);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  for (let at = 0; at < bytes.length; at += perLine) {
    const line = bytes.subarray(at, at + perLine);
    const key = line.join();
    if (!all && line.length === perLine && key === before) {
      if (!starred) out += "*\n";
      starred = true;
      continue;
    }
    before = key;
    starred = false;
    for (const [i, { size, text, shown }] of formats.entries()) {
      const count = Math.ceil(line.length / size);
      const cells = Array.from({ length: count }, (_, k) => shown(view, at + k * size).padStart(columns[i] ?? 0)).join("");
      const readable = text ? `${" ".repeat((columns[i] ?? 0) * (perLine / size - count))}  >${[...line].map((byte) => (isPrintable(byte) ? String.fromCharCode(byte) : ".")).join("")}<` : "";
      out += `${i === 0 ? address(from + at) : " ".repeat(address(0).length)}${cells}${readable}\n`;
    }
  }
  const end = address(from + bytes.length);
  return end === "" ? out : `${out}${end}\n`;
}

const OD_LETTERS: Readonly<Record<string, string>> = { a: "a", b: "o1", c: "c", d: "u2", f: "f4", i: "d4", l: "d8", o: "o2", s: "d2", x: "x2" };

async function od(state: ShellState, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, "A:t:N:j:vw::abcdfilosx", { "address-radix": "A", format: "t", "read-bytes": "N", "skip-bytes": "j", "output-duplicates": "v", width: "w" });
  const formats = options.options.flatMap(([key, value]) => (key === "t" ? formatOf(value) : OD_LETTERS[key] ? formatOf(OD_LETTERS[key]) : []));
  const bytes = await allOf(state, "od", options.operands);
  if (!bytes) return 1;
  const skip = numberOf(options.value("j"), 0);
  if (skip > bytes.length) throw new UsageError("cannot skip past end of combined input");
  const radix = options.value("A") ?? "o";
  const digits = (at: number): string => ({ o: at.toString(8).padStart(7, "0"), d: String(at).padStart(7, "0"), x: at.toString(16).padStart(6, "0") })[radix] ?? "";
  const shown = bytes.subarray(skip, skip + numberOf(options.value("N"), bytes.length));
  await state.write(1, dump(shown, skip, formats.length > 0 ? formats : formatOf("o2"), numberOf(options.value("w") === "" ? "32" : options.value("w"), 16), digits, options.has("v")));
  return 0;
}

function xxdLine(line: Uint8Array, perLine: number, group: number, upper: boolean): string {
  const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, "0")).map((text) => (upper ? text.toUpperCase() : text));
  const groups: string[] = [];
  for (let i = 0; i < hex.length; i += group) groups.push(hex.slice(i, i + group).join(""));
  const width = perLine * 2 + Math.ceil(perLine / group);
  return `${groups.join(" ").padEnd(width)} ${[...line].map((byte) => (isPrintable(byte) ? String.fromCharCode(byte) : ".")).join("")}`;
}

function fromHex(text: string, plain: boolean): Uint8Array {
  if (plain) return Uint8Array.from(text.replaceAll(/\s/g, "").match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16));
  const parts: Uint8Array[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*([0-9a-f]+):\s?((?:[0-9a-f]{2} ?)+)/i.exec(line);
    if (match) parts.push(Uint8Array.from((match[2] ?? "").split("  ")[0]?.match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16)));
  }
  return joined(parts);
}

async function xxd(state: ShellState, args: readonly string[]): Promise<number> {
  const options = parseOptions(args.map((arg) => (arg === "-ps" || arg === "-plain" ? "-p" : arg)), "prul:s:c:g:", {});
  const bytes = await allOf(state, "xxd", options.operands.slice(0, 1));
  if (!bytes) return 2;
  if (options.has("r")) {
    await state.write(1, fromHex(new TextDecoder().decode(bytes), options.has("p")));
    return 0;
  }
  const from = numberOf(options.value("s"), 0);
  const shown = bytes.subarray(from, from + numberOf(options.value("l"), bytes.length));
  const perLine = numberOf(options.value("c"), options.has("p") ? 30 : 16);
  const lines: string[] = [];
  for (let at = 0; at < shown.length; at += perLine) {
    const line = shown.subarray(at, at + perLine);
    lines.push(options.has("p") ? Array.from(line, (byte) => byte.toString(16).padStart(2, "0")).join("") : `${(from + at).toString(16).padStart(8, "0")}: ${xxdLine(line, perLine, numberOf(options.value("g"), 2) || perLine, options.has("u"))}`);
  }
  await state.write(1, lines.map((line) => `${line}\n`).join(""));
  return 0;
}

async function hexdump(state: ShellState, args: readonly string[]): Promise<number> {
  const options = parseOptions(args, "Cn:s:vbcdox", {});
  const bytes = await allOf(state, "hexdump", options.operands);
  if (!bytes) return 1;
  const from = numberOf(options.value("s"), 0);
  const shown = bytes.subarray(from, from + numberOf(options.value("n"), bytes.length));
  if (shown.length === 0) return 0;
  if (!options.has("C")) {
    const format = options.has("b") ? "o1" : options.has("c") ? "c" : "x2";
    const text = dump(shown, from, formatOf(format), 16, (at) => at.toString(16).padStart(7, "0"), options.has("v"));
    await state.write(1, text.replaceAll(/^\w{7} .*$/gm, (line) => line.padEnd(7 + (format === "x2" ? 40 : 64))));
    return 0;
  }
  let out = "";
  let before = "";
  let starred = false;
  for (let at = 0; at < shown.length; at += 16) {
    const line = shown.subarray(at, at + 16);
    const isSame = !options.has("v") && line.length === 16 && line.join() === before;
    if (!isSame || !starred) out += isSame ? "*\n" : canonical(line, from + at);
    starred = isSame;
    before = line.join();
  }
  await state.write(1, `${out}${(from + shown.length).toString(16).padStart(8, "0")}\n`);
  return 0;
}

function canonical(line: Uint8Array, at: number): string {
  const hex = Array.from({ length: 16 }, (_, i) => `${i === 8 ? " " : ""}${line[i] === undefined ? "  " : line[i].toString(16).padStart(2, "0")} `).join("");
  return `${at.toString(16).padStart(8, "0")}  ${hex} |${[...line].map((byte) => (isPrintable(byte) ? String.fromCharCode(byte) : ".")).join("")}|\n`;
}

const told = (name: string, run: (state: ShellState, args: readonly string[]) => Promise<number>): OwnCommand => async (state, args) => {
  try {
    return await run(state, args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `${name}: ${error.message}\n${/option/.test(error.message) ? `Try '${name} --help' for more information.\n` : ""}`);
    return 1;
  }
};

export const DUMP = { od: told("od", od), xxd: told("xxd", xxd), hexdump: told("hexdump", hexdump) } satisfies Readonly<Record<string, OwnCommand>>;

