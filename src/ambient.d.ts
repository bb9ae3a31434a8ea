// Imports that Vite resolves to something other than a module.
declare module "*?raw" {
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
/** A module and all it imports as one classic script, as text (src/cli/bundle-text.ts). */
declare module "*?bundle" {
  export const source: string;
}
// Packages that ship no types; our Node runtime reads them through its own.
declare module "readable-stream" {
  const stream: Record<string, unknown>;
  export default stream;
}
declare module "path-browserify" {
  const path: Record<string, unknown>;
  export default path;
}
declare module "process/browser.js" {
  const process: { nextTick: (task: (...args: unknown[]) => void, ...args: unknown[]) => void };
  export default process;
}
