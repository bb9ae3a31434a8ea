// Everything about offline use that happens by itself, after the page is up: the copy is made, an update is offered when
// nothing runs, and a host that cannot send isolation headers is helped once.
import { OfflineLink } from "./offline-link.ts";
import { wasUsed } from "../intent.ts";
import { UpdateBar } from "./update-bar.ts";

const RELOADED = "tabwright:isolation-reload";
const LOOK_MS = 1000;

/** What has to be known of the page. */
export interface PageActivity {
  /** The agent, a command or a download is at work: an update is not even offered. */
  busy(): boolean;
}

/** Starts it; returns at once. */
export function startOffline(activity: PageActivity): OfflineLink {
  const link = new OfflineLink();
  const bar = new UpdateBar();
  bar.addEventListener("reload-asked", () => void link.reload());
  let looking: ReturnType<typeof setInterval> | undefined;
  bar.addEventListener("later-asked", () => clearInterval(looking));
  link.listen(({ updateReady }) => {
    if (updateReady) looking ??= setInterval(() => (activity.busy() ? bar.remove() : bar.isConnected || document.body.prepend(bar)), LOOK_MS);
  });
  void link.start();
  void link.settled.then(gainIsolation);
  return link;
}

/**
 * A page that the service worker serves is isolated; the very first load was not. It is loaded once more, only if nobody
 * has touched it yet and it has not been tried in this tab: without a place to note that, it is not tried at all.
 */
function gainIsolation(): void {
  if (crossOriginIsolated || !navigator.serviceWorker?.controller || wasUsed()) return;
  try {
    if (sessionStorage.getItem(RELOADED) !== null) return;
    sessionStorage.setItem(RELOADED, "1");
    if (sessionStorage.getItem(RELOADED) === null) return;
  } catch {
    return; // storage is blocked
  }
  location.reload();
}
