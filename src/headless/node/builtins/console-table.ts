// `console.table`: rows and columns as Node 20 draws them.
import { inspect } from "node-inspect-extracted";
import type { Dict } from "../runtime.ts";
import { textWidth } from "./text-width.ts";

const VALUES = "Values";
const ITERATION = "(iteration index)";

const isObject = (value: unknown): value is Dict => typeof value === "function" || (typeof value === "object" && value !== null);

function draw(head: readonly string[], columns: readonly (readonly string[])[]): string {
  const widths = head.map((name, k) => Math.max(textWidth(name), ...Array.from(columns[k] ?? [], (text = "") => textWidth(text))) + 2);
  const rule = (left: string, middle: string, right: string): string => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const line = (cells: readonly string[]): string => `│${cells.map((text, k) => ` ${text}${" ".repeat((widths[k] as number) - textWidth(text) - 1)}`).join("│")}│`;
  const rows = (columns[0] ?? []).map((_, row) => line(columns.map((column) => column[row] ?? "")));
  return [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...rows, rule("└", "┴", "┘")].join("\n");
}

/** For an object: what is no object has no rows. `options` are those of `inspect`. */
export function renderTable(data: object, only: readonly string[] | undefined, options: Dict): string {
  const cell = (value: unknown): string => {
    const depth = typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 2 ? -1 : 0;
    return inspect(value, { depth, maxArrayLength: 3, breakLength: Number.POSITIVE_INFINITY, ...options });
  };
  const counted = (values: readonly unknown[]): string[] => values.map((_, k) => String(k));
  const kind = Object.prototype.toString.call(data);
  if (/^\[object (Map|Set)( Iterator)?\]$/.test(kind)) {
    // An iterator is used up: script cannot look into it otherwise.
    const items = [...(data as Iterable<unknown>)];
    const isPairs = kind.startsWith("[object Map") && items.every((item) => Array.isArray(item) && item.length === 2);
    if (!isPairs) return draw([ITERATION, VALUES], [counted(items), items.map(cell)]);
    const pairs = items as (readonly [unknown, unknown])[];
    return draw([ITERATION, "Key", VALUES], [counted(items), pairs.map(([key]) => cell(key)), pairs.map(([, value]) => cell(value))]);
  }
  const rows = Object.keys(data);
  // An object, as Node has it: columns whose names are whole numbers come first.
  const columns = Object.create(null) as Record<string, string[]>;
  const values: string[] = [];
  for (const [k, row] of rows.entries()) {
    const item = (data as Dict)[row];
    if (!isObject(item) && only === undefined) {
      values[k] = cell(item);
      continue;
    }
    for (const name of only ?? Object.keys(item as object)) {
      const column = (columns[name] ??= []);
      column[k] = isObject(item) && Object.hasOwn(item, name) ? cell(item[name]) : "";
    }
  }
  const body = values.length > 0 ? { ...columns, [VALUES]: values } : columns;
  return draw(["(index)", ...Object.keys(body)], [rows, ...Object.values(body)]);
}
