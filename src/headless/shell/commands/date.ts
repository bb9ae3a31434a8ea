// date, as GNU's: formats, and dates as people write them. Clocks cannot be set.
import { resolvePath } from "../../posix-path.ts";
import { statOf } from "../../vfs-node.ts";
import type { ShellState } from "../state.ts";
import { parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const UNIT_MS: Readonly<Record<string, number>> = { sec: 1000, second: 1000, min: 60_000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000, fortnight: 1_209_600_000 };

const WEEKDAY = "(sun|mon|tue|wed|thu|fri|sat)(?:day|s|sday|nesday|rs|rsday|urday)?(?![a-z])";

/** A moment in a time zone: `local` reads as UTC what its clock shows. */
class Zoned {
  readonly local: Date;
  readonly offsetMinutes: number;
  readonly ms: number;
  readonly name: string;

  constructor(ms: number, zone: string) {
    this.ms = ms;
    const parts = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", timeZoneName: "short" }).formatToParts(ms);
    const part = (type: string): number => Number(parts.find((each) => each.type === type)?.value ?? 0);
    this.local = new Date(Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) + (((ms % 1000) + 1000) % 1000));
    this.offsetMinutes = Math.round((this.local.getTime() - ms) / 60_000);
    this.name = zone === "UTC" ? "UTC" : (parts.find(({ type }) => type === "timeZoneName")?.value ?? "UTC");
  }
}

/** The zone that TZ names; UTC without one. */
export function zoneOf(state: ShellState, utc: boolean): string {
  const given = (state.vars.get("TZ") ?? "").replace(/^:/, "");
  if (utc || given === "") return "UTC";
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: given }).resolvedOptions().timeZone;
  } catch {
    return "UTC";
  }
}

/** The moment that shows `local` on a clock of the zone. */
function momentOf(local: number, zone: string): number {
  const guess = local - new Zoned(local, zone).offsetMinutes * 60_000;
  return local - new Zoned(guess, zone).offsetMinutes * 60_000;
}

/** A date as it is written, in milliseconds. Throws UsageError, for an invalid `what`. */
export function parseDate(text: string, zone: string, now: number, what = "date"): number {
  const wrong = new UsageError(`invalid ${what} ‘${text}’`);
  let rest = text.trim().toLowerCase().replaceAll(/\s+/g, " ");
  const at = /^@(-?\d+(?:\.\d+)?)$/.exec(rest);
  if (at) return Number(at[1]) * 1000;
  let clock = new Zoned(now, zone).local.getTime();
  let offset: number | undefined;
  let shift = 0;
  let months = 0;
  const midnight = (): void => void (clock = Math.floor(clock / 86_400_000) * 86_400_000);
  let hasTime = false;
  const take = (pattern: RegExp, use: (match: RegExpExecArray) => void): boolean => {
    const match = pattern.exec(rest);
    if (!match) return false;
    rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`.replaceAll(/\s+/g, " ").trim();
    use(match);
    return true;
  };
  const setDay = (year: number, month: number, day: number): void => {
    const time = hasTime ? ((clock % 86_400_000) + 86_400_000) % 86_400_000 : 0;
    const date = new Date(Date.UTC(year, month, day));
    if (month < 0 || month > 11 || date.getUTCDate() !== day) throw wrong;
    clock = date.getTime() + time;
  };
  const monthNamed = (name = ""): number => MONTHS.findIndex((month) => month.toLowerCase().startsWith(name.slice(0, 3)));
  take(/(?<=^|\s|\dt?)t?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)? ?([ap]m)?(?: ?(z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2}(?= |$)))?/, ([, h = "", m = "", s = "0", fraction = "0", half, z]) => {
    const hours = half === undefined ? Number(h) : (Number(h) % 12) + (half === "pm" ? 12 : 0);
    if (hours > 23 || Number(m) > 59 || Number(s) > 60) throw wrong;
    midnight();
    clock += hours * 3_600_000 + Number(m) * 60_000 + Number(s) * 1000 + Math.floor(Number(`0.${fraction}`) * 1000);
    hasTime = true;
    const sign = /([+-])(\d{2}):?(\d{2})?/.exec(z ?? "");
    if (z !== undefined) offset = sign ? (sign[1] === "-" ? -1 : 1) * (Number(sign[2]) * 60 + Number(sign[3] ?? 0)) : 0;
  });
  take(/(?<![\d:])(\d{1,2}) ?([ap]m)(?![a-z])/, ([, h = "", half]) => {
    midnight();
    clock += ((Number(h) % 12) + (half === "pm" ? 12 : 0)) * 3_600_000;
    hasTime = true;
  });
  const day = take(/(?<![\d-])(\d{4})-(\d{1,2})-(\d{1,2})/, ([, y, m, d]) => setDay(Number(y), Number(m) - 1, Number(d))) || take(/(?<!\d)(\d{4})\/(\d{1,2})\/(\d{1,2})/, ([, y, m, d]) => setDay(Number(y), Number(m) - 1, Number(d)))
    || take(/(?<!\d)(\d{1,2})\/(\d{1,2})\/(\d{4})/, ([, m, d, y]) => setDay(Number(y), Number(m) - 1, Number(d))) || take(/(?<!\d)(\d{4})(\d{2})(\d{2})(?!\d)/, ([, y, m, d]) => setDay(Number(y), Number(m) - 1, Number(d)))
    || take(/(\d{1,2}) (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*,?(?: (\d{4}))?/, ([, d, m, y]) => setDay(Number(y ?? new Date(clock).getUTCFullYear()), monthNamed(m), Number(d)))
    || take(/(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* (\d{1,2})(?:,? (\d{4}))?/, ([, m, d, y]) => setDay(Number(y ?? new Date(clock).getUTCFullYear()), monthNamed(m), Number(d)));
  if (day) take(new RegExp(`(?<![a-z])${WEEKDAY},?`), () => undefined);
  take(/(?<![a-z])(z|utc|gmt)(?![a-z])/, () => void (offset = 0));
  for (let more = true; more; ) {
    more = take(/(?<![a-z])(now|today|yesterday|tomorrow)(?![a-z])/, ([, word]) => void (shift += word === "yesterday" ? -86_400_000 : word === "tomorrow" ? 86_400_000 : 0))
      || take(/(?:([+-]?) ?(\d+)|(last|next|this|a|an))? ?(?<![a-z])(sec|second|min|minute|hour|day|week|fortnight|month|year)s?(?![a-z])( ago)?/, ([, sign, digits, word, unit = "", ago]) => {
        const n = (digits === undefined ? (word === "last" ? -1 : word === "this" ? 0 : 1) : Number(digits)) * (sign === "-" ? -1 : 1) * (ago === undefined ? 1 : -1);
        if (unit === "month" || unit === "year") months += n * (unit === "year" ? 12 : 1);
        else shift += n * (UNIT_MS[unit] ?? 0);
      })
      || take(new RegExp(`(?:(last|next|this) )?${WEEKDAY}`), ([, word, name = ""]) => {
        const today = new Date(clock).getUTCDay();
        const wanted = DAYS.findIndex((weekday) => weekday.toLowerCase().startsWith(name));
        if (!hasTime) midnight();
        shift += ((wanted - today + 7) % 7) * 86_400_000 + (word === "next" && wanted === today ? 7 : word === "last" ? -7 : 0) * 86_400_000;
      });
  }
  if (rest !== "") throw wrong;
  if (text.trim() === "") midnight();
  if (months !== 0) {
    const date = new Date(clock);
    clock = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds());
  }
  return (offset === undefined ? momentOf(clock, zone) : clock - offset * 60_000) + shift;
}

const pad = (value: number, width: number, fill = "0"): string => String(value).padStart(width, fill);

function isoWeek(date: Date): readonly [year: number, week: number] {
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 3 - ((date.getUTCDay() + 6) % 7)));
  return [thursday.getUTCFullYear(), 1 + Math.floor((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 604_800_000)];
}

function formatted(format: string, moment: Zoned): string {
  const { local, offsetMinutes, ms, name } = moment;
  const [sign, minutes] = [offsetMinutes < 0 ? "-" : "+", Math.abs(offsetMinutes)];
  const yearDay = Math.floor((Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()) - Date.UTC(local.getUTCFullYear(), 0, 1)) / 86_400_000);
  const hour = local.getUTCHours();
  const zone = (colons: string): string => `${sign}${pad(Math.floor(minutes / 60), 2)}${colons === "" ? "" : ":"}${pad(minutes % 60, 2)}${colons.length > 1 ? ":00" : ""}`;
  const nested: Readonly<Record<string, string>> = { c: "%a %b %e %H:%M:%S %Y", D: "%m/%d/%y", F: "%Y-%m-%d", h: "%b", r: "%I:%M:%S %p", R: "%H:%M", T: "%H:%M:%S", x: "%m/%d/%y", X: "%H:%M:%S" };
  const fields: Readonly<Record<string, () => string | readonly [number, number, string?]>> = {
    a: () => (DAYS[local.getUTCDay()] ?? "").slice(0, 3), A: () => DAYS[local.getUTCDay()] ?? "", b: () => (MONTHS[local.getUTCMonth()] ?? "").slice(0, 3), B: () => MONTHS[local.getUTCMonth()] ?? "", C: () => [Math.floor(local.getUTCFullYear() / 100), 2], d: () => [local.getUTCDate(), 2], e: () => [local.getUTCDate(), 2, " "],
    g: () => [isoWeek(local)[0] % 100, 2], G: () => [isoWeek(local)[0], 4], H: () => [hour, 2], I: () => [hour % 12 || 12, 2], j: () => [yearDay + 1, 3], k: () => [hour, 2, " "], l: () => [hour % 12 || 12, 2, " "], m: () => [local.getUTCMonth() + 1, 2], M: () => [local.getUTCMinutes(), 2], n: () => "\n", N: () => [Math.floor((((ms % 1000) + 1000) % 1000) * 1e6), 9],
    p: () => (hour < 12 ? "AM" : "PM"), P: () => (hour < 12 ? "am" : "pm"), q: () => [Math.floor(local.getUTCMonth() / 3) + 1, 1], s: () => String(Math.floor(ms / 1000)), S: () => [local.getUTCSeconds(), 2], t: () => "\t", u: () => [local.getUTCDay() || 7, 1], U: () => [Math.floor((yearDay + 7 - local.getUTCDay()) / 7), 2], V: () => [isoWeek(local)[1], 2],
    w: () => [local.getUTCDay(), 1], W: () => [Math.floor((yearDay + 7 - ((local.getUTCDay() + 6) % 7)) / 7), 2], y: () => [local.getUTCFullYear() % 100, 2], Y: () => [local.getUTCFullYear(), 4], Z: () => name, "%": () => "%",
  };
  return format.replaceAll(/%([-_0^#]*)(\d*)(:{0,2})([a-zA-Z%])/g, (whole, flags: string, width: string, colons: string, letter: string) => {
    if (letter === "z") return zone(colons);
    const inner = nested[letter];
    const found = inner === undefined ? fields[letter]?.() : formatted(inner, moment);
    if (found === undefined) return whole;
    if (letter === "N" && width !== "") return pad((found as readonly [number, number])[0], 9).slice(0, Number(width));
    const text = typeof found === "string" ? found.padStart(Number(width), /[A-Za-z]/.test(found) ? " " : "0") : flags.includes("-") ? String(found[0]) : pad(found[0], Number(width) || found[1], flags.includes("_") ? " " : flags.includes("0") ? "0" : (found[2] ?? "0"));
    return flags.includes("^") ? text.toUpperCase() : text;
  });
}

const ISO: Readonly<Record<string, string>> = { "": "%F", date: "%F", hours: "%FT%H%:z", minutes: "%FT%H:%M%:z", seconds: "%FT%T%:z", ns: "%FT%T,%N%:z" };
const RFC_3339: Readonly<Record<string, string>> = { date: "%F", seconds: "%F %T%:z", ns: "%F %T.%N%:z" };

async function date(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "d:uI::Rr:s:f:", { date: "d", utc: "u", universal: "u", "iso-8601": "I::", "rfc-email": "R", "rfc-2822": "R", "rfc-3339": "rfc:", reference: "r", set: "s" });
    if (options.has("s")) throw new UsageError("cannot set date: Operation not permitted");
    const zone = zoneOf(state, options.has("u"));
    const reference = options.value("r");
    const node = reference === undefined ? undefined : state.host.vfs.find(resolvePath(reference, state.cwd));
    if (reference !== undefined && !node) throw new UsageError(`${reference}: No such file or directory`);
    const text = options.value("d");
    const ms = node ? statOf(node).mtimeMs : text === undefined ? Date.now() : parseDate(text, zone, Date.now());
    const [given, extra] = options.operands;
    if (extra !== undefined) throw new UsageError(`extra operand ‘${extra}’\nTry 'date --help' for more information.`);
    if (given !== undefined && !given.startsWith("+")) throw new UsageError(/^\d+$/.test(given) ? "cannot set date: Operation not permitted" : `invalid date ‘${given}’`);
    const named = options.has("I") ? ISO[options.value("I") ?? ""] : options.has("rfc") ? RFC_3339[options.value("rfc") ?? ""] : options.has("R") ? "%a, %d %b %Y %H:%M:%S %z" : undefined;
    await state.write(1, `${formatted(given?.slice(1) ?? named ?? "%a %b %e %H:%M:%S %Z %Y", new Zoned(ms, zone))}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `date: ${error.message}\n${/option/.test(error.message) ? "Try 'date --help' for more information.\n" : ""}`);
    return 1;
  }
}

export const DATE = { date } satisfies Readonly<Record<string, OwnCommand>>;
