// Is the host's page dark? Asked of what docs generators set (Docusaurus and Starlight: data-theme; VitePress and
// Tailwind: class="dark"), else of the ground that is really painted, else of the reader's system. Live.
import type { WidgetTheme } from "./protocol.ts";

/** The theme of the page as it is now. */
export function pageTheme(): WidgetTheme {
  for (const root of [document.documentElement, document.body]) {
    const named = root?.dataset["theme"] ?? root?.dataset["bsTheme"] ?? root?.dataset["colorMode"];
    if (named === "dark" || named === "light") return named;
    if (root?.classList.contains("dark")) return "dark";
    if (root?.classList.contains("light")) return "light";
  }
  return paintedTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** By the luminance of the first opaque ground; undefined where the page paints none. */
function paintedTheme(): WidgetTheme | undefined {
  for (const root of [document.body, document.documentElement]) {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (getComputedStyle(root).backgroundColor.match(/[\d.]+/g) ?? ["0", "0", "0", "0"]).map(Number);
    if (alpha > 0.5) return 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
  }
  return undefined;
}

const listeners = new Set<() => void>();
let stop: (() => void) | undefined;

/** Calls back when the page may have changed its theme; returns the function that ends it. One observer for all. */
export function onPageTheme(listener: () => void): () => void {
  listeners.add(listener);
  stop ??= observe();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    stop?.();
    stop = undefined;
  };
}

function observe(): () => void {
  const tell = (): void => listeners.forEach((listener) => listener());
  const observer = new MutationObserver(tell);
  for (const root of [document.documentElement, document.body]) observer.observe(root, { attributeFilter: ["class", "style", "data-theme", "data-bs-theme", "data-color-mode"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", tell);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", tell);
  };
}
