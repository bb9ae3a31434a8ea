// The one file that turns text into HTML. The model's words are untrusted: marked renders, DOMPurify removes whatever
// could run or load, and only then does it reach the document. Links are shown but open nothing by themselves.
import DOMPurify from "dompurify";
import { html, type TemplateResult } from "lit";
import { unsafeHTML } from "lit/directives/unsafe-html.js";
import { marked } from "marked";

const ALLOWED_TAGS = ["p", "br", "strong", "em", "del", "code", "pre", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "hr"];

/** Markdown as safe HTML: no scripts, styles, images, frames, links or attributes. */
export function renderMarkdown(text: string): string {
  return DOMPurify.sanitize(marked.parse(text, { async: false, gfm: true }), { ALLOWED_TAGS, ALLOWED_ATTR: [] });
}

/** The same as a Lit template. */
export function markdown(text: string): TemplateResult {
  return html`${unsafeHTML(renderMarkdown(text))}`;
}
