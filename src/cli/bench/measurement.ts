// One measured number: what, how much, of what. Sections of the bench return lists of these; nothing is judged here.

export interface Measurement {
  readonly section: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

/** Middle value; of an even count, the mean of the two middle ones. NaN of an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** An aligned table, one line a measurement. */
export function formatTable(rows: readonly Measurement[]): string {
  const cells = rows.map((row) => [row.section, row.what, formatValue(row.value), row.unit]);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((cell) => (cell[column] ?? "").length)));
  return cells
    .map(([section = "", what = "", value = "", unit = ""]) => `${section.padEnd(widths[0] ?? 0)}  ${what.padEnd(widths[1] ?? 0)}  ${value.padStart(widths[2] ?? 0)} ${unit}`)
    .join("\n");
}

function formatValue(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
