// The loader's own look. A constructed sheet, because a strict policy of the host (style-src) does not concern those.
// What the host may change: the --tabwright-… properties here, and ::part(bar button notice launcher panel frame).
import type { WidgetPosition } from "./protocol.ts";

const CSS = `
:host {
  --_accent: var(--tabwright-accent, #8a3b12);
  --_ground: var(--tabwright-background, #fbfaf8);
  --_text: var(--tabwright-color, #22201c);
  --_muted: var(--tabwright-muted, #625d54);
  --_line: var(--tabwright-border, #dcd8d0);
  --_radius: var(--tabwright-radius, 8px);
  display: block;
  font: 14px/1.4 var(--tabwright-font, system-ui, -apple-system, "Segoe UI", sans-serif);
  color: var(--_text);
  color-scheme: light;
}
:host([hidden]) { display: none; }
:host(:state(dark)) {
  --_accent: var(--tabwright-accent, #b4531f);
  --_ground: var(--tabwright-background, #171614);
  --_text: var(--tabwright-color, #ece8e1);
  --_muted: var(--tabwright-muted, #a8a297);
  --_line: var(--tabwright-border, #3a3731);
  color-scheme: dark;
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button { font: inherit; cursor: pointer; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.bar {
  display: flex;
  flex-wrap: wrap;
  gap: 6px 12px;
  align-items: center;
  min-block-size: var(--tabwright-bar-height, 54px);
  padding: 8px 12px;
  background: var(--_ground);
  border: 1px solid var(--_line);
  border-radius: var(--_radius);
}
.open {
  display: inline-flex;
  gap: 7px;
  align-items: center;
  padding: 6px 14px;
  color: var(--tabwright-on-accent, oklch(from var(--_accent) round(1.21 - l, 1) 0 0));
  background: var(--_accent);
  border: 1px solid var(--_accent);
  border-radius: var(--_radius);
  font-weight: 600;
}
.open:hover { filter: brightness(1.1); }
.open svg { inline-size: 1em; block-size: 1em; fill: currentColor; }
.notice { flex: 1 1 16em; color: var(--_muted); font-size: 13px; }
.notice[role="alert"] { color: var(--_text); }
.panel {
  position: relative;
  overflow: hidden;
  background: var(--_ground);
  border: 1px solid var(--_line);
  border-radius: var(--_radius);
  block-size: var(--tabwright-height, 540px);
}
iframe { display: block; inline-size: 100%; block-size: 100%; border: 0; background: var(--_ground); color-scheme: inherit; }
.wait { position: absolute; inset: 0; display: grid; place-items: center; color: var(--_muted); background: var(--_ground); }
.wait button {
  position: absolute;
  inset: 8px 8px auto auto;
  padding: 4px 10px;
  color: inherit;
  background: none;
  border: 1px solid var(--_line);
  border-radius: var(--_radius);
}
:host(:state(away)) { display: contents; }
:host(:state(away)) .bar {
  position: fixed;
  inset: auto 20px 20px auto;
  z-index: var(--tabwright-z-index, 40);
  min-block-size: 0;
  padding: 0;
  border: 0;
  background: none;
  flex-direction: column-reverse;
  align-items: flex-end;
}
:host(:state(away)) .open { border-radius: 999px; padding: 10px 18px; box-shadow: 0 3px 14px #0004; }
:host(:state(away)) .notice {
  flex: none;
  max-inline-size: 260px;
  padding: 8px 12px;
  background: var(--_ground);
  border: 1px solid var(--_line);
  border-radius: var(--_radius);
  box-shadow: 0 3px 14px #0003;
}
:host(:state(away)) .bar:not(:hover, :focus-within) .notice:not([role="alert"]) { opacity: 0; pointer-events: none; }
:host(:state(away)) .panel { position: fixed; z-index: var(--tabwright-z-index, 40); box-shadow: 0 6px 32px #0005; }
:host(:state(side)) .panel {
  inset: 0 0 0 auto;
  inline-size: min(var(--tabwright-width, 480px), 100vw);
  block-size: auto;
  border-width: 0 0 0 1px;
  border-radius: 0;
}
:host(:state(floating)) .panel {
  inset: auto 20px 20px auto;
  inline-size: min(var(--tabwright-width, 440px), calc(100vw - 40px));
  block-size: min(var(--tabwright-height, 640px), calc(100dvh - 40px));
}
@media (max-width: 560px) {
  :host(:state(away)) .open { padding: 14px; }
  :host(:state(away)) .open span { position: absolute; clip-path: inset(50%); }
  :host(:state(floating)) .panel { inset: 0; inline-size: 100%; block-size: 100%; border: 0; border-radius: 0; }
}
`;

let sheet: CSSStyleSheet | undefined;

/** One for all widgets of the page. */
export function widgetSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}

/** Puts the position and the theme into the element's states, which the sheet reads and the host's page cannot write. */
export function showStates(states: CustomStateSet, position: WidgetPosition, dark: boolean): void {
  const wanted = { dark, away: position !== "inline", side: position === "side", floating: position === "floating" };
  for (const [name, on] of Object.entries(wanted)) {
    if (on) states.add(name);
    else states.delete(name);
  }
}
