// The loader, dist/embed.js: defines <tab-wright>, and makes one for each script tag that loads it with data-… of its own.
// It asks the network for nothing; that begins with the reader's click.
import { ATTRIBUTES } from "./config.ts";
import { TabWright } from "./element.ts";

const TAG = "tab-wright";

if (!customElements.get(TAG)) customElements.define(TAG, TabWright);

/** A module has no currentScript: ours are the scripts whose address is this module's. Each is used once. */
for (const script of document.querySelectorAll<HTMLScriptElement>('script[type="module"][src]')) {
  const given = ATTRIBUTES.flatMap((name) => {
    const value = script.getAttribute(`data-${name}`);
    return value === null ? [] : [[name, value] as const];
  });
  if (script.src !== import.meta.url || given.length === 0) continue;
  const widget = document.createElement(TAG);
  for (const [name, value] of given) widget.setAttribute(name, value);
  if (script.parentElement === document.head || widget.getAttribute("position")?.match(/^(side|floating)$/)) document.body.append(widget);
  else script.after(widget);
}
