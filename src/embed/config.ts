// From the element's attributes, children and custom properties to what the frame is told. Whatever is wrong in them
// has a value that works; only files that cannot be read are a failure, and that one says why.
import { LIMITS } from "../base/limits.ts";
import { pageTheme } from "./page-theme.ts";
import { type Look, readColor, readSource, type Setup, type Source, type WidgetFile, type WidgetPosition } from "./protocol.ts";
import { readSamples } from "./samples.ts";
import { languageOf } from "./words.ts";

/** What a host's context hook may give, at once or later. */
export interface PageContext {
  readonly title?: string;
  readonly url?: string;
  readonly text?: string;
  readonly selection?: string;
  readonly code?: string;
}
/** `element.context = () => …`, set by the host's page. */
export type ContextHook = () => PageContext | readonly PageContext[] | null | undefined | Promise<PageContext | readonly PageContext[] | null | undefined>;

/** What the element reads; on the script tag the same with `data-`. */
export const ATTRIBUTES = ["theme", "accent", "files", "files-url", "code", "open", "open-file", "prompt", "mode", "lang", "position", "name", "registry"] as const;

/** Inline unless another position is named. */
export function positionOf(element: Element): WidgetPosition {
  const position = element.getAttribute("position");
  return position === "side" || position === "floating" ? position : "inline";
}

/** `chat`, `run` or both; both when neither is named. */
export function modeOf(element: Element): { readonly chat: boolean; readonly run: boolean } {
  const words = (element.getAttribute("mode") ?? "").toLowerCase();
  const chat = words.includes("chat");
  const run = words.includes("run");
  return chat || run ? { chat, run } : { chat: true, run: true };
}

/** What may change while the widget is open: read again at each change. */
export function lookOf(element: Element): Look {
  const theme = element.getAttribute("theme");
  const accent = element.getAttribute("accent") ?? getComputedStyle(element).getPropertyValue("--tabwright-accent");
  return {
    theme: theme === "dark" || theme === "light" ? theme : pageTheme(),
    accent: readColor(accent),
    language: languageOf(element.getAttribute("lang") || document.documentElement.lang || navigator.language),
  };
}

/** Reads the files as well. Throws an Error whose message says which could not be read. */
export async function setupOf(element: Element): Promise<Setup> {
  const code = element.getAttribute("code");
  return {
    ...lookOf(element),
    ...modeOf(element),
    position: positionOf(element),
    name: element.getAttribute("name") || document.title,
    files: await filesOf(element),
    samples: code ? readSamples(code, element.parentElement) : [],
    // Vue takes `open` for a boolean and drops its value, hence the second name.
    open: element.getAttribute("open") || (element.getAttribute("open-file") ?? ""),
    prompt: element.getAttribute("prompt") ?? "",
    registry: element.getAttribute("registry") ?? "",
  };
}

async function filesOf(element: Element): Promise<readonly WidgetFile[]> {
  const inline = element.getAttribute("files") ?? element.querySelector('script[type="application/json"]')?.textContent;
  const url = element.getAttribute("files-url");
  if (inline?.trim()) return filesIn(inline, "files");
  if (!url) return [];
  const response = await fetch(new URL(url, document.baseURI));
  if (!response.ok) throw new Error(`${url} (${response.status})`);
  return filesIn(await response.text(), url);
}

/** `{ "path": "text" }`, also below `files`. */
function filesIn(json: string, where: string): WidgetFile[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error(`${where}: no JSON`);
  }
  const given = isRecord(value) && isRecord(value["files"]) ? value["files"] : value;
  if (!isRecord(given)) throw new Error(`${where}: { "path": "text" }`);
  return Object.entries(given).flatMap(([path, text]) => (typeof text === "string" ? [{ path, text }] : []));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What the page tells about a question: from the hook, and from listeners of the `context` event, which call
 * `event.detail.add(…)`. Nothing when the hook takes too long: a question needs no context.
 */
export async function sourcesOf(element: Element, hook: ContextHook | undefined): Promise<readonly Source[]> {
  const added: PageContext[] = [];
  element.dispatchEvent(new CustomEvent("context", { detail: { add: (context: PageContext) => void added.push(context) } }));
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, LIMITS.widgetContextMs));
  const given = hook && (await Promise.race([hook(), late]));
  return [...added, ...[given ?? []].flat()].flatMap((item: PageContext) => {
    const title = item.title ?? document.title;
    const url = item.url ?? location.href;
    const selected = item.selection ?? item.code;
    return [readSource({ kind: "selection", title, url, text: selected }), readSource({ kind: "page", title, url, text: item.text })].flatMap((source) => source ?? []);
  });
}
