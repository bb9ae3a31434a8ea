// Colours, type and spacing as custom properties, dark and light; every component draws from these and nothing else.
// Contrast of text on its ground is at least 4.5:1 in both themes.
import { css, type CSSResult } from "lit";

/** What the user chose; `auto` follows the system. */
export type Theme = "auto" | "light" | "dark";

const light = css`
  --ground: #fbfaf8;
  --raised: #ffffff;
  --sunken: #f1efeb;
  --line: #dcd8d0;
  --text: #22201c;
  --muted: #625d54;
  --accent: #8a3b12;
  --accent-ground: #8a3b12;
  --accent-text: #ffffff;
  --good: #17663a;
  --good-ground: #e3f3e8;
  --warn: #7a4f00;
  --warn-ground: #faedcd;
  --bad: #a3211c;
  --bad-ground: #fbe6e4;
  --focus: #1f5fbf;
`;
const dark = css`
  --ground: #171614;
  --raised: #201e1b;
  --sunken: #100f0e;
  --line: #3a3731;
  --text: #ece8e1;
  --muted: #a8a297;
  --accent: #f0a47a;
  --accent-ground: #b4531f;
  --accent-text: #ffffff;
  --good: #7fd3a0;
  --good-ground: #173525;
  --warn: #ecc06c;
  --warn-ground: #3b2f14;
  --bad: #f39a93;
  --bad-ground: #43201d;
  --focus: #7fb2ff;
`;

/** For the document: the two palettes and the page's ground. */
const documentStyles: CSSResult = css`
  :root {
    ${light}
    color-scheme: light dark;
    --sans: system-ui, -apple-system, "Segoe UI", sans-serif;
    --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace;
    --radius: 8px;
  }
  @media (prefers-color-scheme: dark) {
    :root:not([data-theme="light"]) {
      ${dark}
    }
  }
  :root[data-theme="light"] {
    color-scheme: light;
  }
  :root[data-theme="dark"] {
    ${dark}
    color-scheme: dark;
  }
  html,
  body {
    block-size: 100%;
    margin: 0;
  }
  body {
    background: var(--ground);
    color: var(--text);
    font: 15px/1.5 var(--sans);
  }
`;

/** For every component: controls that look alike, and a focus ring that is always there. */
export const controlStyles: CSSResult = css`
  :host {
    box-sizing: border-box;
  }
  *,
  *::before,
  *::after {
    box-sizing: inherit;
  }
  button,
  select,
  .file {
    font: inherit;
    color: inherit;
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 4px 10px;
    cursor: pointer;
  }
  button:hover:not(:disabled, [aria-disabled="true"]),
  select:hover,
  .file:hover {
    border-color: var(--muted);
  }
  button:disabled,
  button[aria-disabled="true"] {
    color: var(--muted);
    cursor: default;
    opacity: 0.7;
  }
  button.primary {
    background: var(--accent-ground);
    border-color: var(--accent-ground);
    color: var(--accent-text);
  }
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
  }
  pre,
  code {
    font-family: var(--mono);
    font-size: 13px;
  }
  .visually-hidden {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation: none !important;
      transition: none !important;
    }
  }
`;

/** Puts the palettes into the document and applies the user's choice. */
export function applyTheme(theme: Theme): void {
  const sheet = documentStyles.styleSheet;
  if (sheet && !document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets.push(sheet);
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
