// node:crypto, but for keys of its own (libraries/keys.ts).
export { createCrypto } from "../builtins/crypto.ts";
export { keyLibrary } from "../builtins/crypto-keys.ts";
