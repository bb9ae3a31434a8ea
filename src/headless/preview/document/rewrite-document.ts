// A served answer as a document that the frame can show: HTML with what it needs at blob addresses; an image, text or
// anything else as browsers show it.
import type { AnswerHead } from "../exchange.ts";
import { servedUrl } from "../served-url.ts";
import { adoptElement, isModule, isScript, isSheet } from "./elements.ts";
import type { Files } from "./files.ts";
import type { Scripts } from "./scripts.ts";
import { headerOf, typeOf } from "./served.ts";

/** HTML to write. */
export async function rewriteDocument(url: string, head: AnswerHead, body: Uint8Array<ArrayBuffer>, files: Files, scripts: Scripts): Promise<string> {
  const type = typeOf(head);
  const charset = /charset=["']?([^\s;"']+)/i.exec(headerOf(head, "content-type") ?? "")?.[1] ?? "utf-8";
  if (type === "text/html" || type === "application/xhtml+xml" || type === "") return rewriteHtml(decode(body, charset), url, files, scripts);
  const page = document.implementation.createHTMLDocument();
  if (type.startsWith("image/")) page.body.append(Object.assign(page.createElement("img"), { src: URL.createObjectURL(new Blob([body], { type })) }));
  else if (/^text\/|json|xml|javascript/.test(type)) page.body.append(Object.assign(page.createElement("pre"), { textContent: decode(body, charset) }));
  else page.body.append(Object.assign(page.createElement("p"), { textContent: `${type}, ${body.length} bytes: a file to save, not a page to show.` }));
  return `<!doctype html>${page.documentElement.outerHTML}`;
}

function decode(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) return new TextDecoder().decode(bytes); // a charset that nobody knows
    throw error;
  }
}

async function rewriteHtml(text: string, url: string, files: Files, scripts: Scripts): Promise<string> {
  const page = new DOMParser().parseFromString(text, "text/html");
  const given = page.querySelector("base[href]");
  const base = servedUrl(given?.getAttribute("href") ?? url, url)?.href ?? url;
  given?.remove();
  // A <base> takes effect, and is refused, even in a document that is never shown: it is put into the text.
  const place = page.createElement("tabwright-base");
  page.head.prepend(place);
  // Ours too, until it is written: modules are resolved against it.
  document.head.prepend(Object.assign(document.createElement("base"), { href: base }));

  for (const meta of page.querySelectorAll("meta[http-equiv]")) {
    const what = meta.getAttribute("http-equiv")?.toLowerCase();
    // Our own policy is stricter in all but blobs, which a stricter one would refuse.
    if (what === "content-security-policy") meta.remove();
    if (what === "refresh") meta.setAttribute("http-equiv", "x-refresh");
  }
  for (const link of page.querySelectorAll("link")) if (!isSheet(link)) link.remove(); // hints, icons, manifests: nothing that shows
  for (const script of page.querySelectorAll("script[type=importmap i]")) {
    scripts.setImportMap(script.textContent);
    script.remove();
  }
  await Promise.all([...page.querySelectorAll("*")].map((element) => (isScript(element) ? adoptScript(element, base, scripts) : adoptElement(element, base, files))));
  const doctype = page.doctype ? "<!doctype html>" : "";
  const tag = Object.assign(page.createElement("meta"), { content: base }).outerHTML.replace(/^<meta content/, "<base href");
  return doctype + page.documentElement.outerHTML.replace("<tabwright-base></tabwright-base>", () => tag);
}

async function adoptScript(script: HTMLScriptElement, base: string, scripts: Scripts): Promise<void> {
  const from = script.getAttribute("src");
  const url = from === null ? undefined : servedUrl(from, base)?.href;
  if (from !== null && url === undefined) return; // the policy refuses it and says so
  const text = script.textContent;
  if (url === undefined && text.trim() === "") return;
  for (const name of ["integrity", "crossorigin", "nonce"]) script.removeAttribute(name);
  const blob = isModule(script)
    ? url === undefined ? await scripts.inlineModule(text, base) : await scripts.module(url)
    : url === undefined ? scripts.inline(text) : await scripts.classic(url).catch(() => undefined);
  script.textContent = "";
  script.setAttribute("src", blob ?? "blob:null/missing");
}
