// What runs first in a preview's frame, and in every realm that can be made there: takes WebRTC away, gives the served
// document its address, its requests and its storage, and writes it. All of it is in the realm of the document's own code,
// so none of it is a wall: the walls are the opaque origin, the policy (opaque-frame.ts) and the checks of the page around.
import type { ToDocument } from "../document-link.ts";
import { forget } from "./unreachable.ts";
import { followElements } from "./elements.ts";
import { Files } from "./files.ts";
import { installHistory } from "./history.ts";
import { installLocation, type Place } from "./location.ts";
import { followNavigation } from "./navigation.ts";
import { installRequests } from "./requests.ts";
import { rewriteDocument } from "./rewrite-document.ts";
import { Scripts } from "./scripts.ts";
import { Served } from "./served.ts";
import { installStorage } from "./storage.ts";
import { installWebSocket } from "./web-socket.ts";
import { installXhr } from "./xhr.ts";

forget();

const served = new Served();

async function show({ url, head, body, cookies }: ToDocument & { readonly type: "show" }): Promise<void> {
  const place: Place = { url: new URL(url) };
  const files = new Files(served);
  const scripts = new Scripts(served, place);
  installLocation(place, served, scripts);
  installHistory(place, served);
  installRequests(served);
  installXhr();
  installWebSocket(served);
  installStorage(served, cookies);
  const html = await rewriteDocument(url, head, body, files, scripts);
  document.open(); // takes every listener with it
  listen();
  followNavigation(place, served);
  followElements(files, scripts);
  document.write(html);
  document.close();
  if (place.url.hash) queueMicrotask(() => document.getElementById(decodeURIComponent(place.url.hash.slice(1)))?.scrollIntoView());
}

function listen(): void {
  addEventListener("message", (event: MessageEvent<ToDocument>) => {
    if (event.source !== parent) return;
    event.stopImmediatePropagation(); // the document hears nothing of ours
    if (event.data.type === "show") void show(event.data);
    else served.receive(event.data);
  });
  addEventListener("load", () => served.tell({ type: "loaded" }));
}

listen();
served.tell({ type: "ready" });
