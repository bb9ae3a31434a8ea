// The page's own code blocks as samples: their text with its line breaks, whatever markup highlights them, their title
// and their language, as VitePress, Docusaurus, Starlight and plain HTML write them.
import { LIMITS } from "../base/limits.ts";
import type { Sample } from "./protocol.ts";

const TITLE_ATTRIBUTES = ["data-file", "data-filename", "data-title", "title"];
const TITLES = "[class*=codeBlockTitle], figcaption .title, .code-block-title, .filename";

/** The blocks that `selector` names, looked for in `near` first and in the whole page if there are none. */
export function readSamples(selector: string, near: ParentNode | null): Sample[] {
  const found = [...(near?.querySelectorAll(selector) ?? [])];
  const blocks = found.length > 0 ? found : [...document.querySelectorAll(selector)];
  return blocks.slice(0, LIMITS.widgetFiles).map((block) => {
    const code = block.matches("code") ? block : (block.querySelector("code") ?? block);
    return { title: titleOf(block), language: languageOf(code, block), text: textOf(code) };
  });
}

/** Lines may end by a newline, by <br> (Docusaurus) or by each being a <div> (Starlight). */
function textOf(code: Element): string {
  let text = "";
  const walk = (node: Node): void => {
    if (node.nodeType === Node.TEXT_NODE) text += node.nodeValue ?? "";
    if (!(node instanceof Element)) return;
    if (node.localName === "br") text += "\n";
    else node.childNodes.forEach(walk);
    if (node.localName === "div" && text !== "" && !text.endsWith("\n")) text += "\n";
  };
  code.childNodes.forEach(walk);
  return text.endsWith("\n") ? text : `${text}\n`;
}

function languageOf(code: Element, block: Element): string {
  for (let at: Element | null = code; at && at.contains(code) && (block.contains(at) || at === block.parentElement); at = at.parentElement) {
    const named = at.getAttribute("data-language") ?? at.getAttribute("data-lang") ?? /(?:^|\s)lang(?:uage)?-([\w+#-]+)/.exec(at.className)?.[1];
    if (named) return named;
  }
  return "";
}

function titleOf(block: Element): string {
  for (const at of [block, ...block.querySelectorAll("pre, code"), block.parentElement]) {
    const attribute = TITLE_ATTRIBUTES.find((name) => at?.getAttribute(name));
    if (attribute) return at?.getAttribute(attribute) ?? "";
  }
  return groupLabel(block) ?? (block.querySelector(TITLES) ?? block.parentElement?.querySelector(TITLES))?.textContent?.trim() ?? "";
}

/** VitePress' code groups: the n-th label names the n-th block. */
function groupLabel(block: Element): string | undefined {
  const group = block.closest(".vp-code-group");
  const item = group && [...group.querySelectorAll(".blocks > *")].findIndex((one) => one.contains(block) || block.contains(one));
  return item === null || item < 0 ? undefined : group?.querySelectorAll(".tabs label")[item]?.textContent?.trim();
}
