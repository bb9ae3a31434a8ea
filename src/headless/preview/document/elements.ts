// Elements of the document that need something of the server: in the document as it is written, and as its code adds them
// later. The policy would refuse the address that an element names, so it gets one of a blob.
import { servedUrl } from "../served-url.ts";
import type { Files } from "./files.ts";
import { classicScript } from "./script-code.ts";
import type { Scripts } from "./scripts.ts";

/** Attributes by tag that name a file. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  IMG: ["src", "srcset"], SOURCE: ["src", "srcset"], VIDEO: ["src", "poster"], AUDIO: ["src"], TRACK: ["src"], INPUT: ["src"], image: ["href", "xlink:href"], feImage: ["href", "xlink:href"],
};
const JAVASCRIPT = /^(?:|(?:text|application)\/(?:x-)?(?:java|ecma)script|module)$/;

/** What the element names becomes what the frame can load; resolves when it has. */
export async function adoptElement(element: Element, base: string, files: Files): Promise<void> {
  const work: Promise<void>[] = [];
  const replace = (name: string, make: (value: string) => Promise<string | undefined>): void => {
    const value = element.getAttribute(name);
    if (value) work.push(make(value).then((made) => void (made !== undefined && made !== value && element.getAttribute(name) === value && element.setAttribute(name, made))));
  };
  const one = async (value: string): Promise<string | undefined> => {
    const url = servedUrl(value, base);
    return url && files.blob(url.href);
  };
  for (const name of FILES[element.tagName] ?? []) replace(name, name === "srcset" ? (value) => sourceSet(value, one) : one);
  if (element.tagName === "LINK" && isSheet(element)) {
    replace("href", async (value) => {
      const url = servedUrl(value, base);
      return url && files.sheet(url.href);
    });
  }
  if (element.getAttribute("style")?.includes("url(")) replace("style", (value) => files.css(value, base));
  if (element.tagName === "STYLE" && /url\(|@import/i.test(element.textContent)) {
    const text = element.textContent;
    work.push(files.css(text, base).then((css) => void (css !== text && element.textContent === text && (element.textContent = css))));
  }
  await Promise.all(work);
}

export function isSheet(link: Element): boolean {
  return /(?:^|\s)stylesheet(?:\s|$)/i.test(link.getAttribute("rel") ?? "");
}

/** Whether an element is a script that runs, of either kind. */
export function isScript(element: Element): element is HTMLScriptElement {
  return element.tagName === "SCRIPT" && JAVASCRIPT.test((element.getAttribute("type") ?? "").trim().toLowerCase());
}

export function isModule(script: Element): boolean {
  return script.getAttribute("type")?.trim().toLowerCase() === "module";
}

async function sourceSet(value: string, one: (url: string) => Promise<string | undefined>): Promise<string> {
  const candidates = value.split(/,\s+/).map((text) => text.trim().split(/\s+/));
  return (await Promise.all(candidates.map(async ([url = "", ...rest]) => [(await one(url)) ?? url, ...rest].join(" ")))).join(", ");
}

/** From now on: whatever is added or changed. */
export function followElements(files: Files, scripts: Scripts): void {
  const adopt = (element: Element): void => {
    void adoptElement(element, document.baseURI, files);
    for (const name of element.getAttributeNames()) if (name.startsWith("on")) listenTo(element, name);
    if (element instanceof HTMLMetaElement && element.httpEquiv === "x-refresh") refresh(element);
  };
  const observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "attributes") adopt(target as Element);
      else for (const node of addedNodes) if (node instanceof Element) for (const element of [node, ...node.querySelectorAll("*")]) adopt(element);
    }
  });
  const what = { subtree: true, childList: true, attributes: true } as const;
  observer.observe(document, what);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) {
    const root = attach.call(this, init);
    observer.observe(root, what);
    return root;
  };
  followScripts(scripts);
}

/** An attribute such as `onclick`: the policy lets no inline code run, a function made of it runs. */
function listenTo(element: Element, name: string): void {
  if (!(name in element)) return;
  try {
    const handler = new Function("event", `with (document) with (this.form ?? {}) with (this) { ${classicScript(`(function () { ${element.getAttribute(name) ?? ""}\n})`).replace(/^\(function \(\) \{|\}\)$/g, "")} }`);
    Object.assign(element, { [name]: handler });
  } catch (error) {
    reportError(error);
  }
}

/** `<meta http-equiv="refresh">`, renamed when the document was read. */
function refresh({ content }: HTMLMetaElement): void {
  const [, seconds = "0", url] = /^\s*(\d+)?[.\d]*\s*(?:[;,]?\s*(?:url\s*=\s*)?["']?([^"']*)["']?)?$/i.exec(content) ?? [];
  const link = Object.assign(document.createElement("a"), { href: url || document.URL });
  setTimeout(() => {
    document.documentElement.append(link);
    link.click();
    link.remove();
  }, Number(seconds) * 1000);
}

/** Scripts that code makes: by `src` they wait for their blob, with text they are run here when they are inserted. */
function followScripts(scripts: Scripts): void {
  const source = Object.getOwnPropertyDescriptor(HTMLScriptElement.prototype, "src")!;
  const wanted = new WeakMap<HTMLScriptElement, string>();
  const started = new WeakSet<HTMLScriptElement>();
  const set = (script: HTMLScriptElement, blob: string | undefined): void => source.set!.call(script, blob ?? "blob:null/missing") as void;
  const start = (script: HTMLScriptElement): void => {
    const url = wanted.get(script);
    if (url === undefined || started.has(script) || !script.isConnected) return;
    started.add(script);
    void (isModule(script) ? scripts.module(url) : scripts.classic(url)).then((blob) => set(script, blob), () => set(script, undefined));
  };
  const want = (script: HTMLScriptElement, value: string): boolean => {
    const url = servedUrl(value, document.baseURI);
    if (!url) return false;
    wanted.set(script, url.href);
    start(script);
    return true;
  };
  Object.defineProperty(HTMLScriptElement.prototype, "src", {
    ...source,
    get(this: HTMLScriptElement) {
      return wanted.get(this) ?? (source.get!.call(this) as string);
    },
    set(this: HTMLScriptElement, value: string) {
      if (!want(this, String(value))) source.set!.call(this, value);
    },
  });
  const { setAttribute } = Element.prototype;
  HTMLScriptElement.prototype.setAttribute = function (name, value) {
    if (name.toLowerCase() !== "src" || !want(this, String(value))) setAttribute.call(this, name, value);
  };
  const run = (script: HTMLScriptElement): void => {
    if (wanted.has(script)) return start(script);
    const text = script.textContent;
    if (started.has(script) || !script.isConnected || !text || script.hasAttribute("src")) return;
    started.add(script);
    if (isModule(script)) return void scripts.inlineModule(text, document.baseURI).then((blob) => import(/* @vite-ignore */ blob));
    try {
      // oxlint-disable-next-line no-eval -- the document's own script, in its own realm, before the next statement as always
      (0, eval)(classicScript(text));
    } catch (error) {
      reportError(error);
    }
  };
  const around = <T>(nodes: readonly unknown[], insert: () => T): T => {
    const found = nodes.flatMap((node) => (node instanceof Element && isScript(node) ? [node] : node instanceof DocumentFragment ? [...node.querySelectorAll("script")].filter(isScript) : []));
    // Not for the browser to run: it would refuse the text.
    const waiting = found.filter((script) => !script.hasAttribute("src") && !wanted.has(script) && script.textContent && !started.has(script));
    const types = waiting.map((script) => script.getAttribute("type"));
    for (const script of waiting) script.setAttribute("type", "text/inline");
    const result = insert();
    waiting.forEach((script, i) => (types[i] === null || types[i] === undefined ? script.removeAttribute("type") : script.setAttribute("type", types[i])));
    for (const script of found) run(script);
    return result;
  };
  const { appendChild, insertBefore, replaceChild } = Node.prototype;
  Node.prototype.appendChild = function <T extends Node>(node: T): T {
    return around([node], () => appendChild.call(this, node) as T);
  };
  Node.prototype.insertBefore = function <T extends Node>(node: T, before: Node | null): T {
    return around([node], () => insertBefore.call(this, node, before) as T);
  };
  Node.prototype.replaceChild = function <T extends Node>(node: Node, old: T): T {
    return around([node], () => replaceChild.call(this, node, old) as T);
  };
  for (const name of ["append", "prepend", "before", "after", "replaceWith"] as const) {
    const native = Element.prototype[name];
    Element.prototype[name] = function (...nodes: (Node | string)[]): void {
      around(nodes, () => native.apply(this, nodes));
    };
  }
}
