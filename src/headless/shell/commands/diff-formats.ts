// How diff prints differences: normal, with context (-c), unified (-u).
import type { Hunk } from "./line-differences.ts";

export interface Side {
  readonly label: string;
  /** Each with its newline, if it has one. */
  readonly lines: readonly string[];
}

export interface Look {
  readonly style: "normal" | "unified" | "context";
  /** Lines around. */
  readonly context: number;
  /** -p, -F: what a line looks like that tells where one is. */
  readonly heading: RegExp | undefined;
  readonly color: boolean;
}

const NO_NEWLINE = "\\ No newline at end of file\n";

/** A line after its mark, which tells when it has no end. */
const marked = (mark: string, line: string, paint: (text: string) => string): string => (line.endsWith("\n") ? `${paint(mark + line.slice(0, -1))}\n` : `${paint(mark + line)}\n${NO_NEWLINE}`);

/** `3,5`, or `3` for one line; for none, the line before. */
const range = (from: number, to: number): string => (to - from === 1 ? String(to) : to === from ? String(from) : `${from + 1},${to}`);
const unifiedRange = (from: number, to: number): string => (to - from === 1 ? String(to) : to === from ? `${from},0` : `${from + 1},${to - from}`);

/** Hunks whose lines around them would meet, together. */
function groups(hunks: readonly Hunk[], context: number): Hunk[][] {
  const out: Hunk[][] = [];
  for (const hunk of hunks) {
    const last = out.at(-1)?.at(-1);
    if (last && hunk.from - last.to <= 2 * context) out.at(-1)?.push(hunk);
    else out.push([hunk]);
  }
  return out;
}

export function printed(a: Side, b: Side, hunks: readonly Hunk[], look: Look): string {
  const sgr = (code: string) => (text: string): string => (look.color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const [bold, red, green, cyan] = [sgr("1"), sgr("31"), sgr("32"), sgr("36")];
  const lines = (side: Side, from: number, to: number, mark: string, paint = (text: string): string => text): string => side.lines.slice(from, to).map((line) => marked(mark, line, paint)).join("");
  if (look.style === "normal") {
    return hunks.map(({ from, to, start, end }) => {
      const letter = from === to ? "a" : start === end ? "d" : "c";
      const head = from === to ? `${from}${letter}${range(start, end)}` : `${range(from, to)}${letter}${range(start, end)}`;
      return `${cyan(head)}\n${lines(a, from, to, "< ", red)}${letter === "c" ? "---\n" : ""}${lines(b, start, end, "> ", green)}`;
    }).join("");
  }
  const heading = (before: number): string => {
    for (let i = before - 1; look.heading && i >= 0; i--) if (look.heading.test(a.lines[i] ?? "")) return ` ${(a.lines[i] ?? "").trimEnd().slice(0, 40)}`;
    return "";
  };
  const bodies = groups(hunks, look.context).map((group) => {
    const [first, last] = [group[0], group.at(-1)];
    if (!first || !last) return "";
    const [from, to] = [Math.max(0, first.from - look.context), Math.min(a.lines.length, last.to + look.context)];
    const [start, end] = [Math.max(0, first.start - look.context), Math.min(b.lines.length, last.end + look.context)];
    if (look.style === "context") return contextGroup(a, b, group, [from, to, start, end], heading(from), look);
    let body = `${cyan(`@@ -${unifiedRange(from, to)} +${unifiedRange(start, end)} @@`)}${heading(from)}\n`;
    let at = from;
    for (const hunk of group) {
      body += lines(a, at, hunk.from, " ") + lines(a, hunk.from, hunk.to, "-", red) + lines(b, hunk.start, hunk.end, "+", green);
      at = hunk.to;
    }
    return body + lines(a, at, to, " ");
  });
  const [old, next] = look.style === "unified" ? ["---", "+++"] : ["***", "---"];
  return `${bold(`${old} ${a.label}`)}\n${bold(`${next} ${b.label}`)}\n${bodies.join("")}`;
}

function contextGroup(a: Side, b: Side, group: readonly Hunk[], [from, to, start, end]: readonly [number, number, number, number], heading: string, look: Look): string {
  const sgr = (code: string) => (text: string): string => (look.color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const side = ({ lines }: Side, first: number, last: number, parts: readonly (readonly [from: number, to: number, mark: string])[]): string => {
    let out = "";
    let at = first;
    for (const [partFrom, partTo, mark] of parts) {
      out += lines.slice(at, partFrom).map((line) => marked("  ", line, (text) => text)).join("") + lines.slice(partFrom, partTo).map((line) => marked(`${mark} `, line, sgr(mark === "-" || (mark === "!" && lines === a.lines) ? "31" : "32"))).join("");
      at = partTo;
    }
    return out + lines.slice(at, last).map((line) => marked("  ", line, (text) => text)).join("");
  };
  const contextRange = (first: number, last: number): string => (last - first > 1 ? `${first + 1},${last}` : String(last));
  const gone = group.filter((hunk) => hunk.from < hunk.to).map((hunk) => [hunk.from, hunk.to, hunk.start < hunk.end ? "!" : "-"] as const);
  const come = group.filter((hunk) => hunk.start < hunk.end).map((hunk) => [hunk.start, hunk.end, hunk.from < hunk.to ? "!" : "+"] as const);
  return `***************${heading}\n*** ${contextRange(from, to)} ****\n${gone.length > 0 ? side(a, from, to, gone) : ""}--- ${contextRange(start, end)} ----\n${come.length > 0 ? side(b, start, end, come) : ""}`;
}
