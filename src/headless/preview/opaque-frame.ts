// The frame that a served document runs in: opaque origin, no network, no storage, no popups, no frames of its own.
// Inline scripts are not allowed, but for ours by its hash: so nothing runs in a frame that a document nests into itself,
// and our script, which takes WebRTC away (Chromium has no policy against it), is first in every realm there can be.
import { source } from "./document/main.ts?bundle";

/** Within a script element these would end or change it. */
const SCRIPT = source.replaceAll("</script", "<\\/script").replaceAll("<!--", "\\x3C!--");

const policyWith = (hash: string): string =>
  [
    "default-src 'none'",
    `script-src '${hash}' 'unsafe-eval' 'wasm-unsafe-eval' blob:`,
    "style-src 'unsafe-inline' blob:",
    "img-src blob: data:",
    "media-src blob: data:",
    "font-src blob: data:",
    "worker-src blob:",
    "connect-src blob: data:",
    "frame-src 'none'",
    "form-action 'none'",
    "base-uri http://localhost:* http://127.0.0.1:*",
  ].join("; ");

let policy: Promise<string> | undefined;

async function makePolicy(): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SCRIPT)));
  return policyWith(`sha256-${btoa(String.fromCharCode(...digest))}`);
}

/** A frame with our script alone in it; not yet in the page. */
export async function opaqueFrame(): Promise<HTMLIFrameElement> {
  policy ??= makePolicy();
  const frame = document.createElement("iframe");
  // Forms: their submission is turned into a request of ours; form-action lets none out.
  frame.setAttribute("sandbox", "allow-scripts allow-forms");
  frame.srcdoc = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${await policy}"><script>${SCRIPT}</script>`;
  return frame;
}
