// node:url and node:punycode.
export { createPunycode } from "../builtins/punycode.ts";
export { createUrl } from "../builtins/url.ts";
