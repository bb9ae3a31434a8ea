// The page's end of the service worker: registers it, tells how far the offline copy is, and when a newer version waits.
// It never takes over by itself: that is `reload`, on the user's word.
import type { InstallFailed, ServiceStatus, ToService } from "../../offline/messages.ts";
import { VERSION_META } from "../../offline/pages.ts";

const SCRIPT = "/service-worker.js";
const CHECK_MS = 60 * 60_000;
const TAKEOVER_MS = 10_000;
const ANSWER_MS = 5_000;

/** How far the offline copy is. */
export interface OfflineState {
  /** `off`: not registered here. `saving`: the first copy is being made. `failed`: there is none, and `problem` says why. */
  readonly phase: "off" | "saving" | "ready" | "failed";
  /** Why a version could not be stored. */
  readonly problem: string | undefined;
  /** The version this page runs on; undefined when it came from the network. */
  readonly version: string | undefined;
  /** A newer version is stored and waits for a reload. */
  readonly updateReady: boolean;
}

/** One for a page; lives as long as it. */
export class OfflineLink {
  /** What this build calls itself; two builds may share a name, never a version. */
  readonly build = __TABWRIGHT_BUILD__;
  state: OfflineState = { phase: "off", problem: undefined, version: pageVersion(), updateReady: false };
  readonly #listeners = new Set<(state: OfflineState) => void>();
  #registration: ServiceWorkerRegistration | undefined;
  readonly #settled = Promise.withResolvers<void>();

  /** Resolves when a stored version answers requests, or when it is clear that none will. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  /** Returns the function that ends it. */
  listen(listener: (state: OfflineState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Registers the worker; the copy is made in the background. A browser without service workers stays `off`. */
  async start(): Promise<void> {
    const container = "serviceWorker" in navigator ? navigator.serviceWorker : undefined;
    if (!container) return this.#settled.resolve();
    container.addEventListener("controllerchange", () => void this.#controlled());
    container.addEventListener("message", ({ data }: MessageEvent<InstallFailed | null>) => {
      if (data?.type === "install-failed") this.#set({ problem: data.message });
    });
    container.startMessages();
    setInterval(() => void this.checkForUpdate(), CHECK_MS);
    await this.#register(container);
  }

  /** Tries again to make a copy after it has failed. */
  async retry(): Promise<void> {
    this.#set({ phase: "off", problem: undefined });
    await this.#register(navigator.serviceWorker);
  }

  /** Asks the site for a newer version; being offline is no failure. */
  async checkForUpdate(): Promise<void> {
    await this.#registration?.update().catch(() => undefined);
  }

  /** Loads the page again on the newest version that is stored. Other tabs go on with theirs. */
  async reload(): Promise<void> {
    const waiting = this.#registration?.waiting;
    if (waiting) {
      const taken = new Promise<void>((resolve) => navigator.serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true }));
      waiting.postMessage({ type: "activate" } satisfies ToService);
      await Promise.race([taken, pause(TAKEOVER_MS)]);
    }
    location.reload();
  }

  /** Deletes stored versions that no tab runs on; returns how many. */
  async tidy(): Promise<number> {
    const deleted = await askService({ type: "tidy" });
    return typeof deleted === "number" ? deleted : 0;
  }

  async #register(container: ServiceWorkerContainer): Promise<void> {
    try {
      await container.register(SCRIPT);
    } catch (error) {
      // The site has no worker any more, or a policy forbids it: what is stored still answers.
      if (!container.controller) this.#set({ phase: "failed", problem: error instanceof Error ? error.message : String(error) });
    }
    this.#registration = await container.getRegistration();
    if (!this.#registration) return this.#settled.resolve();
    if (!container.controller && this.state.phase === "off") this.#set({ phase: "saving" });
    this.#follow(this.#registration);
    if (container.controller) await this.#controlled();
  }

  #follow(registration: ServiceWorkerRegistration): void {
    if (registration.waiting && registration.active) this.#set({ updateReady: true });
    const watch = (): void => {
      const worker = registration.installing;
      worker?.addEventListener("statechange", () => {
        if (worker.state === "installed" && registration.active) this.#set({ updateReady: true, problem: undefined });
        if (worker.state !== "redundant" || navigator.serviceWorker.controller) return;
        this.#set({ phase: "failed" });
        this.#settled.resolve();
      });
    };
    registration.addEventListener("updatefound", watch);
    watch();
  }

  /** A stored version answers now. It may be a newer one than this page's, if another tab has said so. */
  async #controlled(): Promise<void> {
    const status = (await askService({ type: "status" })) as ServiceStatus | undefined;
    if (!status) return;
    const runsOnStored = status.runsOn !== "network";
    if (runsOnStored) markPage(status.runsOn);
    this.#set({ phase: "ready", version: runsOnStored ? status.runsOn : undefined, ...(runsOnStored && status.runsOn !== status.version ? { updateReady: true } : {}) });
    this.#settled.resolve();
  }

  #set(change: Partial<OfflineState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.#listeners) listener(this.state);
  }
}

function pageVersion(): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="${VERSION_META}"]`)?.content;
}

/** So that the frames of a page that was open before the first copy was made find their version. */
function markPage(version: string): void {
  if (pageVersion() !== undefined) return;
  const meta = document.createElement("meta");
  meta.name = VERSION_META;
  meta.content = version;
  document.head.append(meta);
}

/** Undefined when no worker answers. */
function askService(message: ToService): Promise<unknown> {
  const { controller } = navigator.serviceWorker;
  if (!controller) return Promise.resolve(undefined);
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<unknown>((resolve) => (port1.onmessage = ({ data }: MessageEvent<unknown>) => resolve(data)));
  controller.postMessage(message, [port2]);
  return Promise.race([answer, pause(ANSWER_MS)]).finally(() => port1.close());
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
