// Pages that the service worker writes itself, and the mark it puts on those it serves.
import { NETWORK, VERSION_PARAM } from "./plan.ts";

/** The page's <meta> that names the version it runs on; without it, a page came from the network. */
export const VERSION_META = "tabwright-version";

/** Our page with its version written into it. */
export function marked(html: string, version: string): string {
  return html.replace("<head>", `<head>\n    <meta name="${VERSION_META}" content="${version}" />`);
}

/**
 * Finds out which version the page around a frame runs on, and loads the frame's address again with that. A page of
 * another origin (the widget on a neighbouring subdomain shares this worker) cannot be asked and has no version of ours.
 */
export function parentAsking(): string {
  const script = `
    let version = "${NETWORK}";
    try {
      version = parent.document.querySelector('meta[name="${VERSION_META}"]')?.content ?? version;
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
    }
    const url = new URL(location.href);
    url.searchParams.set("${VERSION_PARAM}", version);
    location.replace(url.href);`;
  return `<!doctype html><meta charset="utf-8"><title>Tabwright</title><script>${script}</script>`;
}

/** When a page can come neither from the store nor from the network. `reason` is ours: plain text without markup. */
export function unavailablePage(reason: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>Tabwright</title>
<body style="font: 16px/1.5 system-ui, sans-serif; max-inline-size: 60ch; margin: 15vh auto; padding: 0 24px">
<h1 style="font-size: 22px">Tabwright cannot open</h1><p>${reason}</p><p>Your projects and chats are not affected.</p></body></html>`;
}
