// Entry of the service worker. The build writes the list of this version's files in place of self.__WB_MANIFEST; what is
// done with it is src/offline/service.ts. No skipWaiting but on the user's word.
import { isToService } from "../src/offline/messages.ts";
import type { PrecacheList } from "../src/offline/precache.ts";
import { OfflineService } from "../src/offline/service.ts";

declare const self: ServiceWorkerGlobalScope & { readonly __WB_MANIFEST: PrecacheList };

const service = new OfflineService(self, self.__WB_MANIFEST);

self.addEventListener("install", (event) => event.waitUntil(service.install()));
self.addEventListener("activate", (event) => event.waitUntil(service.activate()));
self.addEventListener("fetch", (event) => {
  const answer = service.answer(event);
  if (answer) event.respondWith(answer);
});
self.addEventListener("message", (event) => {
  const { data, ports, source } = event;
  if (!isToService(data)) return;
  const reply = async (): Promise<unknown> => {
    if (data.type === "activate") return self.skipWaiting();
    return data.type === "tidy" ? service.tidy() : service.status(source && "id" in source ? source.id : "");
  };
  event.waitUntil(
    reply().then((answer) => {
      ports[0]?.postMessage(answer);
      // Every page asks once when it is up: by then the page that was there before is gone.
      return data.type === "status" ? service.tidy() : undefined;
    }),
  );
});
