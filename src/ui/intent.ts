// The first sign that the page is going to be used. Before it nothing heavy is fetched, for somebody may only look, and the
// page may be loaded again without anybody losing anything. By the time a question is typed engine and container are there.

const SIGNS = ["pointerdown", "keydown", "input", "paste", "dragover"] as const;
let used = false;

/** Settles at the first click, key, drag or paste anywhere in the page. Called once, before anything is on the screen. */
export function firstIntent(): Promise<void> {
  return new Promise((resolve) => {
    const seen = (): void => {
      used = true;
      for (const sign of SIGNS) removeEventListener(sign, seen, true);
      // Not before the event has reached its target: what starts renders, and would put the old text into the field.
      setTimeout(resolve);
    };
    for (const sign of SIGNS) addEventListener(sign, seen, true);
  });
}

/** Has there been one? */
export function wasUsed(): boolean {
  return used;
}
