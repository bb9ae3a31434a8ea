// The local time of a program that sets `process.env.TZ`: the browser's engine knows one time zone, its own. From the first
// time that a program sets another, local times are reckoned here, from what Intl knows of that zone. Only in a Worker that is
// the process. Offsets are whole minutes.
const NativeDate = globalThis.Date;
const { DateTimeFormat: NativeFormat } = Intl;
const MINUTE_MS = 60_000;
/** The date's own: a subclass (`@date-fns/tz`) has methods that call these. */
const { getTime: getTimeOf, setTime: setTimeOf } = NativeDate.prototype;
const timeOf = (date: Date): number => getTimeOf.call(date);

type DateMethod = (this: Date, ...args: number[]) => unknown;
type LocaleArguments = [locales?: string | string[], options?: Intl.DateTimeFormatOptions];

/** Undefined: the browser's. */
let zone: string | undefined;
const OWN = new NativeFormat().resolvedOptions().timeZone;
let installed = false;
let formats: { readonly offset: Intl.DateTimeFormat; readonly name: Intl.DateTimeFormat };
const offsets = new Map<number, number>();
/** Zones change on quarters of an hour. */
const QUARTER_MS = 15 * MINUTE_MS;
const MOST_KEPT = 10_000;
const STEADY_MS = 4 * 24 * 60 * MINUTE_MS;
/** There are no dates later than this, or earlier than as much before 1970. */
const LAST_MS = 8.64e15;
const NONE = { from: 0, to: 0, offset: 0 } as const;
/** The time around the moment last asked for in which the offset stays. */
let steady: { readonly from: number; readonly to: number; readonly offset: number } = NONE;

/** As the C library reads the variable: empty and unknown ones are UTC. */
export function setTimeZone(name: string | undefined): void {
  if (name === undefined) {
    zone = undefined;
    return;
  }
  zone = known(name.replace(/^:/, "") || "UTC") ?? "UTC";
  offsets.clear();
  steady = NONE;
  formats = { offset: new NativeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }), name: new NativeFormat("en-US", { timeZone: zone, timeZoneName: "long" }) };
  if (!installed && zone !== OWN) install();
}

function known(name: string): string | undefined {
  try {
    return new NativeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

const zonePart = (format: Intl.DateTimeFormat, ms: number): string => format.formatToParts(ms).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";

/** Of local time before UTC, as the engine tells it of a moment. */
function askedOffset(ms: number): number {
  const quarter = Math.floor(ms / QUARTER_MS);
  const kept = offsets.get(quarter);
  if (kept !== undefined) return kept;
  const [, sign, hours = "0", minutes = "0"] = /GMT([+-])(\d+):(\d+)/.exec(zonePart(formats.offset, ms)) ?? [];
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  if (offsets.size > MOST_KEPT) offsets.clear();
  offsets.set(quarter, offset);
  return offset;
}

/** The same; asking takes some 10 µs, and no zone changed and changed back within a few days. */
function offsetMs(ms: number): number {
  if (ms >= steady.from && ms < steady.to) return steady.offset;
  const from = Math.floor(ms / STEADY_MS) * STEADY_MS;
  const to = from + STEADY_MS;
  const within = (each: number): number => Math.min(Math.max(each, -LAST_MS), LAST_MS);
  const offset = askedOffset(within(from));
  if (offset !== askedOffset(within(to))) return askedOffset(within(ms));
  steady = { from, to, offset };
  return offset;
}

/** A date whose UTC fields are the local ones of the moment. */
const shifted = (ms: number): Date => new NativeDate(Number.isNaN(ms) ? ms : ms + offsetMs(ms));

const DAY_MS = 24 * 60 * MINUTE_MS;

/** The moment of a local time: of two the first; of one that clocks leap over, as if they had not. */
function momentOf(localMs: number): number {
  if (Number.isNaN(localMs)) return localMs;
  const before = localMs - offsetMs(localMs - DAY_MS);
  const after = localMs - offsetMs(localMs + DAY_MS);
  if (before === after) return before;
  const shows = (ms: number): boolean => ms + offsetMs(ms) === localMs;
  return !shows(before) && shows(after) ? after : before;
}

const two = (value: number): string => String(value).padStart(2, "0");

function texts(ms: number): { readonly date: string; readonly time: string } {
  const [day, date = "", month, year] = shifted(ms).toUTCString().replace(",", "").split(" ");
  const minutes = Math.abs(offsetMs(ms)) / MINUTE_MS;
  const clock = shifted(ms).toISOString().slice(-13, -5);
  return { date: `${day} ${month} ${date} ${year}`, time: `${clock} GMT${offsetMs(ms) < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)} (${zonePart(formats.name, ms)})` };
}

/** A zone as the engine reads it: a name of its own anywhere, or an offset after a time. */
const NAMES_ZONE = /(?:^|[^a-z])(?:GMT|UTC?|Z|[ECMP][SD]T)(?![a-z])|:\d{2}(?:\.\d+)?\s*(?:[ap]m)?\s*[+-]\d/i;

/** Text without a zone is a local time, but a date alone. */
function parse(text: string): number {
  const isUtc = NAMES_ZONE.test(text.replace(/\([^)]*\)/g, "")) || /^\s*[+-]?\d{4,6}(?:-\d{2}){0,2}\s*$/.test(text);
  const local = zone === undefined || isUtc ? Number.NaN : NativeDate.parse(/^\s*[+-]?\d{4,6}-\d{2}-\d{2}T/.test(text) ? `${text.trim()}Z` : `${text} UTC`);
  return Number.isNaN(local) ? NativeDate.parse(text) : momentOf(local);
}

/** What `new Date` was given, as one moment. */
function momentIn(given: readonly unknown[]): readonly unknown[] {
  if (given.length > 1) return [momentOf(NativeDate.UTC(...(given as [number])))];
  return typeof given[0] === "string" ? [parse(given[0])] : given;
}

/** Two of each: `getHours`, `setHours`. */
const PARTS = ["FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds"];

/** Replaces a method where a zone is set. */
function replace(target: object, name: string, zoned: (this: Date, ...args: never[]) => unknown): void {
  const native = Reflect.get(target, name) as DateMethod;
  const method = function (this: Date, ...args: number[]): unknown {
    return Reflect.apply(zone === undefined ? native : zoned, this, args);
  };
  Object.defineProperty(method, "length", { value: native.length });
  Object.defineProperty(target, name, { value: Object.defineProperty(method, "name", { value: name }), writable: true, configurable: true });
}

function install(): void {
  installed = true;
  const { prototype } = NativeDate;
  type Fields = Record<string, (...args: number[]) => unknown>;
  for (const part of PARTS) {
    replace(prototype, `get${part}`, function () {
      return (shifted(timeOf(this)) as unknown as Fields)[`getUTC${part}`]?.();
    });
    replace(prototype, `set${part}`, function (...args: number[]) {
      const ms = timeOf(this);
      // A year makes a date again of what is none.
      const local = Number.isNaN(ms) && part === "FullYear" ? new NativeDate(0) : shifted(ms);
      (local as unknown as Fields)[`setUTC${part}`]?.(...args);
      return setTimeOf.call(this, momentOf(local.getTime()));
    });
  }
  replace(prototype, "getDay", function () {
    return shifted(timeOf(this)).getUTCDay();
  });
  replace(prototype, "getYear", function () {
    return shifted(timeOf(this)).getUTCFullYear() - 1900;
  });
  replace(prototype, "getTimezoneOffset", function () {
    const ms = timeOf(this);
    return Number.isNaN(ms) ? ms : 0 - offsetMs(ms) / MINUTE_MS;
  });
  const text = (name: string, tell: (parts: ReturnType<typeof texts>) => string): void => replace(prototype, name, function () {
    const ms = timeOf(this);
    return Number.isNaN(ms) ? "Invalid Date" : tell(texts(ms));
  });
  text("toString", ({ date, time }) => `${date} ${time}`);
  text("toDateString", ({ date }) => date);
  text("toTimeString", ({ time }) => time);
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"] as const) {
    const native = prototype[name];
    replace(prototype, name, function (...[locales, options]: LocaleArguments) {
      return native.call(this, locales as string, zoned(options));
    });
  }
  installConstructors();
}

const zoned = (options: Intl.DateTimeFormatOptions | undefined): Intl.DateTimeFormatOptions => (zone === undefined || options?.timeZone !== undefined ? { ...options } : { ...options, timeZone: zone });

function installConstructors(): void {
  function made(this: unknown, ...given: unknown[]): unknown {
    return new.target ? (Reflect.construct(NativeDate, zone === undefined ? given : momentIn(given), new.target) as Date) : new NativeDate().toString();
  }
  takePlace(globalThis, "Date", NativeDate, made, { parse: (given: unknown) => parse(String(given)) });
  function format(this: unknown, ...[locales, options]: LocaleArguments): unknown {
    const given = [locales, zoned(options)];
    // Called on an object of its own kind it marks that one.
    return new.target ? (Reflect.construct(NativeFormat, given, new.target) as object) : Reflect.apply(NativeFormat as unknown as (...given: unknown[]) => unknown, this, given);
  }
  takePlace(Intl, "DateTimeFormat", NativeFormat, format, {});
}

/** A function in a class's place, with its prototype and what lies on it. */
function takePlace(owner: object, name: string, native: { readonly prototype: object }, made: (...args: never[]) => unknown, statics: object): void {
  const { prototype, ...own } = Object.getOwnPropertyDescriptors(native) as PropertyDescriptorMap & { prototype: PropertyDescriptor };
  Object.defineProperties(made, own);
  Object.defineProperty(made, "prototype", prototype);
  for (const [key, value] of Object.entries(statics)) Object.defineProperty(made, key, { value: Object.defineProperty(value as object, "name", { value: key }), writable: true, configurable: true });
  Object.defineProperty(native.prototype, "constructor", { value: made, writable: true, configurable: true });
  Object.defineProperty(owner, name, { value: made, writable: true, configurable: true });
}
