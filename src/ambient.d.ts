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
