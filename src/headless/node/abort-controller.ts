// Takes the place of the npm package of the same name in the container's bundle: every engine has these.
export const { AbortController, AbortSignal } = globalThis;
