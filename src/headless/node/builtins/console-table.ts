// `console.table`: rows and columns as Node 20 draws them.
import { inspect } from "node-inspect-extracted";

const VALUES = "Values";

function cell(value: unknown): string {
  const depth = typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0;
  return inspect(value, { maxArrayLength: 3, breakLength: Number.POSITIVE_INFINITY, depth });
}

/** Undefined for what has no rows: a primitive. */
export function renderTable(data: unknown, only?: readonly string[]): string | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const isMap = data instanceof Map;
  const isSet = data instanceof Set;
  const index = isMap || isSet ? "(iteration index)" : "(index)";
  const rows: [string, unknown][] = isMap || isSet ? [...data.values()].map((value, k) => [String(k), value]) : Object.entries(data);
  const columns: string[] = isMap ? ["Key"] : [];
  const lines = rows.map(([key, value], k) => {
    const cells = new Map<string, string>();
    if (isMap) cells.set("Key", cell([...data.keys()][k]));
    if (typeof value === "object" && value !== null) {
      for (const name of only ?? Object.keys(value)) {
        if (!columns.includes(name)) columns.push(name);
        if (Object.hasOwn(value, name)) cells.set(name, cell((value as Record<string, unknown>)[name]));
      }
    } else cells.set(VALUES, cell(value));
    return { key, cells };
  });
  if (lines.some((line) => line.cells.has(VALUES))) columns.push(VALUES);
  const head = [index, ...columns];
  const body = lines.map((line) => [line.key, ...columns.map((name) => line.cells.get(name) ?? "")]);
  const widths = head.map((name, k) => Math.max(name.length, ...body.map((row) => (row[k] as string).length)) + 2);
  const rule = (left: string, middle: string, right: string): string => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const draw = (row: readonly string[]): string => `│${row.map((text, k) => ` ${text}`.padEnd(widths[k] as number)).join("│")}│`;
  return [rule("┌", "┬", "┐"), draw(head), rule("├", "┼", "┤"), ...body.map(draw), rule("└", "┴", "┘")].join("\n");
}
