// Hosts that know no page /headless: there the service worker answers for it, once it is there.
import type { OfflineLink } from "./offline-link.ts";

/** In headless/index.html. A host may answer every path with its start page. */
const SIGN = "<title>Tabwright container host</title>";

/**
 * Resolves when /headless can be loaded: at once on most hosts, else when the service worker answers. Gives up with the
 * service worker; the container then says what is missing.
 */
export async function headlessReachable(link: Promise<OfflineLink | undefined>): Promise<void> {
  if (navigator.serviceWorker?.controller) return;
  const page = await fetch("/headless").then(async (response) => (response.ok ? response.text() : ""), () => "");
  if (!page.includes(SIGN)) await (await link)?.settled;
}
