// Imports that Vite resolves to something other than a module.
declare module "*?raw" {
  const text: string;
  export default text;
}
declare module "*?inline" {
  const text: string;
  export default text;
}
declare module "*?url" {
  const url: string;
  export default url;
}
declare module "*?worker&url" {
  const url: string;
  export default url;
}
/** A file, packed by gzip, as base64 (src/cli/bundle-text.ts; in bundles only). */
declare module "*?gzip" {
  const base64: string;
  export default base64;
}
/** A module and all it imports as one classic script, as text (src/cli/bundle-text.ts). */
declare module "*?bundle" {
  export const source: string;
}
/** The parts of a bundle that are loaded when first called (src/cli/later-parts.ts; in bundles only): loads one. */
declare const __tabwright_part: ((name: string) => unknown) & { readonly names: readonly string[] };
// Packages that ship no types; our Node runtime reads them through its own.
declare module "readable-stream" {
  const stream: Record<string, unknown>;
  export default stream;
}
declare module "readable-stream/lib/ours/errors.js" {
  const errors: { codes: Record<string, unknown> };
  export default errors;
}
declare module "process/browser.js" {
  const process: { nextTick: (task: (...args: unknown[]) => void, ...args: unknown[]) => void };
  export default process;
}
/** The version of package.json. Only in a build (vite.config.ts). */
declare const __TABWRIGHT_BUILD__: string;
/** Vite's: true in a build. */
interface ImportMetaEnv {
  PROD: boolean;
}
interface ImportMeta {
  readonly env: ImportMetaEnv;
}
/** Measured by the build (src/cli/embed-loader.ts): what opening the widget, and what its assistant, fetch at most. */
declare const __WIDGET_SIZES__: { readonly frameBytes: number; readonly engineBytes: number };
