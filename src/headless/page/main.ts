// The /headless page's entry: what the unmodified @webcontainer/api client finds behind WEBCONTAINER_API_IFRAME_URL.
// This page is trusted: it holds every Comlink port, and whoever holds one can run code in the app. It evaluates nothing,
// and speaks plain data only to the frame where code runs.
import * as Comlink from "comlink-4.3.0";
import { createInstance, type Instance, record } from "./instance.ts";
import type { FromDesk } from "../preview/desk-link.ts";
import { KernelClient } from "./kernel-client.ts";

let current: Promise<Instance> | undefined;
/** Of the container that runs. */
let kernel: KernelClient | undefined;

const server = {
  /** Called again after a teardown, on the same port. */
  build(options: unknown): Promise<Instance> {
    if (current) throw new Error("Only a single WebContainer instance can be booted");
    const { workdirName } = record(options);
    const name = typeof workdirName === "string" && /^[^/\0]+$/.test(workdirName) && workdirName !== "." && workdirName !== ".." ? workdirName : "project";
    current = boot(name);
    current.catch(() => {
      current = undefined;
    });
    return current;
  },
};

async function boot(workdirName: string): Promise<Instance> {
  kernel = await KernelClient.start();
  return createInstance(kernel, workdirName, () => {
    current = undefined;
    kernel = undefined;
  });
}

// A preview page of our own origin (src/headless/preview) asks for the container that runs here.
addEventListener("message", ({ origin, data, ports: [page] }: MessageEvent<unknown>) => {
  if (origin !== location.origin || (data as { type?: unknown } | null)?.type !== "preview" || !page) return;
  if (kernel) kernel.previews.open(page);
  else page.postMessage({ type: "gone" } satisfies FromDesk);
});

// Only a page of our own origin gets a port; postMessage's target origin sees to that.
const { port1, port2 } = new MessageChannel();
Comlink.expose(server, port1);
if (parent !== window) parent.postMessage({ type: "init" }, location.origin, [port2]);
