// Entry of the inference worker: the engine, the model and the GPU live here. It runs as a worker of its page, or as a
// shared worker where a frame in another site's page was given this site's own storage (src/ui/widget/engine-storage.ts).
import { expose } from "comlink";
import { CLOSE_WORKER, installErrorWire } from "../src/base/wire.ts";
import { LabInference } from "../src/engine/lab.ts";
import { memoryDatabase } from "../src/storage/memory-database.ts";
import { substituteDatabase } from "../src/storage/shelf.ts";

installErrorWire();
substituteDatabase(memoryDatabase);
if ("onconnect" in globalThis) {
  addEventListener("connect", (event) => {
    const [port] = (event as MessageEvent).ports;
    if (!port) return;
    expose(new LabInference(), port);
    // A shared worker has no terminate() for its page.
    port.addEventListener("message", ({ data }: MessageEvent<unknown>) => data === CLOSE_WORKER && close());
  });
} else expose(new LabInference());
