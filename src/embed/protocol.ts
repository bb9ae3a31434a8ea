// What the loader in the host's page and our page in the frame say to each other: plain data over one MessagePort.
// Neither side believes the other: whatever arrives is rebuilt here field by field, and what does not fit is dropped.
import { LIMITS } from "../base/limits.ts";

/** Loader and frame are of one site but may be cached apart: other numbers do not talk. */
export const PROTOCOL_VERSION = 1;
/** What marks a window message as ours; everything after the handshake goes over the port. */
export const HELLO = "tabwright-hello";
export const CONNECT = "tabwright-connect";

export type WidgetTheme = "light" | "dark";
export type WidgetLanguage = "en" | "de";
export type WidgetPosition = "inline" | "side" | "floating";
export type Rating = "up" | "down";

/** What may change while the widget is open. */
export interface Look {
  readonly theme: WidgetTheme;
  /** A CSS colour, or empty for ours. */
  readonly accent: string;
  readonly language: WidgetLanguage;
}

/** A code block of the page: what it is called there, if anything, and in which language it is. */
export interface Sample {
  readonly title: string;
  readonly language: string;
  readonly text: string;
}

/** A file of the sample's project. */
export interface WidgetFile {
  readonly path: string;
  readonly text: string;
}

/** Everything the frame must know to begin. */
export interface Setup extends Look {
  readonly position: WidgetPosition;
  readonly chat: boolean;
  readonly run: boolean;
  readonly name: string;
  readonly files: readonly WidgetFile[];
  readonly samples: readonly Sample[];
  /** Path of the file to open first; empty for the first. */
  readonly open: string;
  /** What stands in the composer at the beginning. */
  readonly prompt: string;
  /** Address of the package registry that npm may use in here; empty for none. */
  readonly registry: string;
}

/** A piece of the host's page that a question is about; answers cite it. */
export interface Source {
  readonly kind: "page" | "selection";
  readonly title: string;
  /** http(s), or empty. */
  readonly url: string;
  readonly text: string;
}

/** From the loader in the host's page to the frame. */
export type ToFrame =
  | { readonly type: "setup"; readonly setup: Setup }
  | { readonly type: "look"; readonly look: Look }
  | { readonly type: "shown" }
  | { readonly type: "hidden" }
  /** Who has the page's one engine: this frame, another one, or: end yours. */
  | { readonly type: "engine"; readonly state: "yours" | "elsewhere" | "give-up" }
  | { readonly type: "context"; readonly request: number; readonly sources: readonly Source[] };

/** From the frame to the loader. */
export type FromFrame =
  | { readonly type: "ready" }
  | { readonly type: "close" }
  | { readonly type: "error"; readonly code: string; readonly message: string }
  | { readonly type: "feedback"; readonly rating: Rating; readonly question: string; readonly answer: string }
  /** Asks for the engine if it is free, takes it from another frame, or says that it has ended. */
  | { readonly type: "engine"; readonly state: "wanted" | "take" | "released" }
  | { readonly type: "context-wanted"; readonly request: number };

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** Text up to a length; anything else is empty. */
function text(value: unknown, most: number = LIMITS.widgetWordCharacters): string {
  return typeof value === "string" ? value.slice(0, most) : "";
}

function oneOf<T extends string>(value: unknown, choices: readonly T[]): T | undefined {
  return choices.find((choice) => choice === value);
}

/** The items that pass; a list that is too long is cut. */
function list<T>(value: unknown, most: number, read: (item: Fields) => T | undefined): T[] {
  return Array.isArray(value) ? value.slice(0, most).flatMap((item) => read(fieldsOf(item)) ?? []) : [];
}

function requestOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A colour by name, #hex or function, without anything that could refer or load; empty for all else. */
export function readColor(value: unknown): string {
  const color = text(value).trim();
  return color.length <= 64 && /^(?:#[0-9a-f]{3,8}|[a-z]+|(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch)\([\d\s.,%/+a-z-]*\))$/i.test(color) ? color : "";
}

/** An absolute http(s) address; empty for all else: `javascript:` and `data:` never become links. */
export function readUrl(value: unknown): string {
  const given = text(value, LIMITS.widgetUrlCharacters);
  if (!URL.canParse(given)) return "";
  const { protocol, href } = new URL(given);
  return protocol === "https:" || protocol === "http:" ? href : "";
}

/** Undefined where there is no text. */
export function readSource(value: unknown): Source | undefined {
  const { kind, title, url, text: words } = fieldsOf(value);
  const body = text(words, LIMITS.widgetContextCharacters);
  return body.trim() === "" ? undefined : { kind: oneOf(kind, ["page", "selection"]) ?? "page", title: text(title), url: readUrl(url), text: body };
}

function readLook(value: unknown): Look {
  const { theme, accent, language } = fieldsOf(value);
  return { theme: oneOf(theme, ["light", "dark"]) ?? "light", accent: readColor(accent), language: oneOf(language, ["en", "de"]) ?? "en" };
}

function readSetup(value: unknown): Setup {
  const given = fieldsOf(value);
  return {
    ...readLook(value),
    position: oneOf(given["position"], ["inline", "side", "floating"]) ?? "inline",
    chat: given["chat"] !== false,
    run: given["run"] !== false,
    name: text(given["name"]),
    files: list(given["files"], LIMITS.widgetFiles, ({ path, text: body }) =>
      typeof path === "string" && typeof body === "string" ? { path: text(path, LIMITS.widgetUrlCharacters), text: body } : undefined,
    ),
    samples: list(given["samples"], LIMITS.widgetFiles, ({ title, language, text: body }) =>
      typeof body === "string" ? { title: text(title), language: text(language), text: body } : undefined,
    ),
    open: text(given["open"], LIMITS.widgetUrlCharacters),
    prompt: text(given["prompt"], LIMITS.widgetContextCharacters),
    registry: text(given["registry"], LIMITS.widgetUrlCharacters),
  };
}

/** A message of the host's page as the frame may use it; undefined for what is not one. */
export function readToFrame(value: unknown): ToFrame | undefined {
  const given = fieldsOf(value);
  const request = requestOf(given["request"]);
  const engine = oneOf(given["state"], ["yours", "elsewhere", "give-up"]);
  switch (given["type"]) {
    case "setup":
      return { type: "setup", setup: readSetup(given["setup"]) };
    case "look":
      return { type: "look", look: readLook(given["look"]) };
    case "shown":
    case "hidden":
      return { type: given["type"] };
    case "engine":
      return engine && { type: "engine", state: engine };
    case "context":
      return request === undefined ? undefined : { type: "context", request, sources: list(given["sources"], LIMITS.widgetSources, readSource) };
    default:
      return undefined;
  }
}

/** A message of the frame as the host's page may use it; undefined for what is not one. */
export function readFromFrame(value: unknown): FromFrame | undefined {
  const given = fieldsOf(value);
  const request = requestOf(given["request"]);
  const engine = oneOf(given["state"], ["wanted", "take", "released"]);
  const rating = oneOf(given["rating"], ["up", "down"]);
  switch (given["type"]) {
    case "ready":
    case "close":
      return { type: given["type"] };
    case "error":
      return { type: "error", code: text(given["code"]), message: text(given["message"], LIMITS.widgetContextCharacters) };
    case "feedback":
      return rating && { type: "feedback", rating, question: text(given["question"], LIMITS.widgetContextCharacters), answer: text(given["answer"], LIMITS.widgetContextCharacters) };
    case "engine":
      return engine && { type: "engine", state: engine };
    case "context-wanted":
      return request === undefined ? undefined : { type: "context-wanted", request };
    default:
      return undefined;
  }
}

/** Is this window message the handshake's? What it carries besides is not looked at. */
export function isHandshake(value: unknown, kind: typeof HELLO | typeof CONNECT): boolean {
  const { tabwright, version } = fieldsOf(value);
  return tabwright === kind && version === PROTOCOL_VERSION;
}
