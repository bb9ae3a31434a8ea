// When and where the offline copy is made: after everything else, and not everywhere.
import type { OfflineLink } from "./offline-link.ts";
import type { PageActivity } from "./start-offline.ts";

/** Whoever stays this long without touching anything reads, and may want to read on without a network. */
const LINGER_MS = 8000;

/**
 * The copy takes some MB: it waits until the page is used or was looked at for a while, or, where the browser asks for
 * thrift, until it is used. Not in the lab, whose commands always want what the server has now; nor in a frame of another page, nor from vite's
 * dev server: undefined there.
 */
export async function offlineCopy(activity: PageActivity, intent: Promise<void>): Promise<OfflineLink | undefined> {
  if (!import.meta.env.PROD || top !== window || new URLSearchParams(location.search).has("lab")) return undefined;
  await idle();
  if (!navigator.serviceWorker?.controller) await (wantsThrift() ? intent : Promise.race([intent, new Promise((resolve) => setTimeout(resolve, LINGER_MS))]));
  const { startOffline } = await import("./start-offline.ts");
  running = startOffline(activity);
  return running;
}

let running: OfflineLink | undefined;

/** Undefined until the copy was begun, and where none is made. */
export function runningLink(): OfflineLink | undefined {
  return running;
}

/** The user has told the browser to save data. */
function wantsThrift(): boolean {
  return (navigator as { readonly connection?: { readonly saveData?: boolean } }).connection?.saveData === true;
}

/** When the page is loaded and the browser has nothing better to do. */
function idle(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ask = (): void => void ("requestIdleCallback" in globalThis ? requestIdleCallback(() => resolve(), { timeout: 3000 }) : setTimeout(resolve, 500));
  if (document.readyState === "complete") ask();
  else addEventListener("load", ask, { once: true });
  return promise;
}
