// The pictures of a report: SVG text that takes its colours from the page (`currentColor` and two custom properties) and
// says in words what it shows, for those who do not see it.
import type { Estimate } from "./statistics.ts";

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const WIDTH = 640;
const LABEL = 170;
const ROW = 26;

function svg(height: number, title: string, description: string, body: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(`${title}. ${description}`)}">${body}</svg>`;
}

function text(x: number, y: number, words: string, anchor: "start" | "end" | "middle" = "start"): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escapeHtml(words)}</text>`;
}

function short(words: string): string {
  return words.length > 24 ? `${words.slice(0, 23)}…` : words;
}

export interface Bar extends Estimate {
  readonly label: string;
}

/** Shares between 0 and 1, one bar each with its interval as a whisker. */
export function shareChart(title: string, bars: readonly Bar[]): string {
  const span = WIDTH - LABEL - 60;
  const at = (share: number): number => LABEL + share * span;
  const height = bars.length * ROW + 24;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => `<line class="grid" x1="${at(share)}" x2="${at(share)}" y1="0" y2="${bars.length * ROW}"/>${text(at(share), height - 6, `${share * 100} %`, "middle")}`);
  const rows = bars.map(({ label, value, low, high }, i) => {
    const y = i * ROW;
    return `${text(LABEL - 8, y + 17, short(label), "end")}<rect class="bar" x="${LABEL}" y="${y + 5}" width="${(value * span).toFixed(1)}" height="16"/><path class="whisker" d="M${at(low).toFixed(1)} ${y + 13}H${at(high).toFixed(1)}M${at(low).toFixed(1)} ${y + 8}v10M${at(high).toFixed(1)} ${y + 8}v10"/>${text(WIDTH - 4, y + 17, `${(value * 100).toFixed(1)}`, "end")}`;
  });
  const words = bars.map(({ label, value, low, high }) => `${label}: ${(value * 100).toFixed(1)} %, between ${(low * 100).toFixed(1)} and ${(high * 100).toFixed(1)}`).join("; ");
  return svg(height, title, words, [...grid, ...rows].join(""));
}

/** How often each of a few things was, as one row of parts for every group. */
export function partsChart(title: string, groups: readonly { readonly label: string; readonly parts: Readonly<Record<string, number>> }[]): string {
  const names = [...new Set(groups.flatMap(({ parts }) => Object.keys(parts)))].sort();
  const span = WIDTH - LABEL - 8;
  const legendTop = groups.length * ROW + 14;
  const rows = groups.map(({ label, parts }, i) => {
    const total = Object.values(parts).reduce((sum, count) => sum + count, 0) || 1;
    let x = LABEL;
    const pieces = names.map((name, n) => {
      const width = ((parts[name] ?? 0) / total) * span;
      const piece = width === 0 ? "" : `<rect class="part part-${n % 6}" x="${x.toFixed(1)}" y="${i * ROW + 5}" width="${width.toFixed(1)}" height="16"/>${width > 22 ? text(x + width / 2, i * ROW + 17, String(parts[name]), "middle") : ""}`;
      x += width;
      return piece;
    });
    return text(LABEL - 8, i * ROW + 17, short(label), "end") + pieces.join("");
  });
  const columns = 3;
  const legend = names.map((name, n) => {
    const [x, y] = [LABEL + (n % columns) * 150, legendTop + Math.floor(n / columns) * 20];
    return `<rect class="part part-${n % 6}" x="${x}" y="${y}" width="12" height="12"/>${text(x + 18, y + 10, short(name))}`;
  });
  const words = groups.map(({ label, parts }) => `${label}: ${names.map((name) => `${parts[name] ?? 0} ${name}`).join(", ")}`).join("; ");
  return svg(legendTop + Math.ceil(names.length / columns) * 20 + 4, title, words, [...rows, ...legend].join(""));
}

/** How many attempts took how much: solved ones below, the others on top of them. */
export function histogram(title: string, unit: string, values: readonly { readonly value: number; readonly solved: boolean }[]): string {
  const bins = 20;
  const most = Math.max(1, ...values.map(({ value }) => value));
  const step = niceStep(most / bins);
  const count = Math.max(1, Math.ceil((most + step / 1000) / step));
  const solved = Array.from({ length: count }, () => 0);
  const failed = Array.from({ length: count }, () => 0);
  for (const one of values) (one.solved ? solved : failed)[Math.min(count - 1, Math.floor(one.value / step))]! += 1;
  const tallest = Math.max(1, ...solved.map((number, i) => number + failed[i]!));
  const [top, bottom, left, right] = [14, 150, 40, WIDTH - 8];
  const width = (right - left) / count;
  const high = (number: number): number => (number / tallest) * (bottom - top);
  const columns = solved.map((number, i) => {
    const x = left + i * width + 1;
    const [low, up] = [high(number), high(failed[i]!)];
    return `<rect class="bar" x="${x.toFixed(1)}" y="${(bottom - low).toFixed(1)}" width="${(width - 2).toFixed(1)}" height="${low.toFixed(1)}"/><rect class="rest" x="${x.toFixed(1)}" y="${(bottom - low - up).toFixed(1)}" width="${(width - 2).toFixed(1)}" height="${up.toFixed(1)}"/>`;
  });
  const axis = `<line class="grid" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>${text(left, bottom + 16, "0", "middle")}${text(right, bottom + 16, `${Number((step * count).toPrecision(6))} ${unit}`, "end")}${text(left - 6, top + 6, String(tallest), "end")}`;
  const mean = values.reduce((sum, { value }) => sum + value, 0) / Math.max(1, values.length);
  return svg(176, title, `${values.length} attempts, mean ${mean.toFixed(1)} ${unit}, most ${most.toFixed(1)} ${unit}`, columns.join("") + axis);
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least * 0.999) ?? power * 10;
}

/** One square an attempt, in rows of tasks: what was solved at a glance. */
export function attemptGrid(title: string, tasks: readonly { readonly id: string; readonly solved: readonly boolean[] }[]): string {
  const size = 14;
  const columns = Math.floor((WIDTH - 8) / size);
  const squares = tasks.flatMap(({ id, solved }) => solved.map((ok, i) => ({ ok, name: solved.length === 1 ? id : `${id}, attempt ${i + 1}` })));
  const body = squares.map(({ ok, name }, i) => `<rect class="${ok ? "bar" : "rest"}" x="${(i % columns) * size + 4}" y="${Math.floor(i / columns) * size + 2}" width="${size - 3}" height="${size - 3}"><title>${escapeHtml(`${name}: ${ok ? "solved" : "not solved"}`)}</title></rect>`);
  return svg(Math.ceil(squares.length / columns) * size + 6, title, `${squares.filter(({ ok }) => ok).length} of ${squares.length} solved`, body.join(""));
}
