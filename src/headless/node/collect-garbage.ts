// The garbage collector, called for. The engine lends it to nobody, but it collects all garbage before it refuses a buffer
// that it might have given: Chromium 143.

/** More than is ever given, and less than is refused at once. */
const IMPOSSIBLE_BYTES = 2 ** 34;
/** Programs have theirs behind a meter. */
const NativeBuffer = globalThis.ArrayBuffer;

/** All that nothing holds is gone, but for what the present job has looked at. */
export function collectGarbage(): void {
  try {
    Reflect.construct(NativeBuffer, [IMPOSSIBLE_BYTES]); // a minifier drops `new`
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** What `--expose-gc` gives. Of its options one changes what comes back: `execution: "async"`. */
export function gc(...[options]: readonly unknown[]): Promise<void> | undefined {
  if ((options as { readonly execution?: unknown } | undefined | null)?.execution !== "async") return void collectGarbage();
  return new Promise((resolve) => {
    setTimeout(() => {
      collectGarbage();
      resolve();
    }, 0);
  });
}
