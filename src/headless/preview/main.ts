// The page behind a port's url: shows, in an opaque frame of its own making, what a server of the container serves at the
// path after the `#` of its address (`/headless/preview.html#3000/about`). It stands in any iframe of the tab that booted
// the container, needs no service worker, and works offline. It holds a port to /headless (connections, plain data) and
// runs nothing that is served: that runs in the frame, behind a policy without network, storage, or a second realm.
import { DeskLink } from "./desk-link.ts";
import { Preview } from "./preview.ts";

if (parent !== window) {
  const preview = new Preview(DeskLink.find());
  addEventListener("popstate", () => preview.moved());
  // The page around it asks for the same again.
  addEventListener("message", ({ source, origin, data }: MessageEvent<unknown>) => {
    if (source === parent && origin === location.origin && (data as { type?: unknown } | null)?.type === "preview-reload") preview.reload();
  });
  preview.reload();
}
