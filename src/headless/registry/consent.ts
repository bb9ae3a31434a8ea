// How /headless asks the page that the container belongs to whether a registry's host may be asked at all. The page's
// reply comes over a port that only the two of them hold; a page that does not say at once that it was heard (a widget
// whose site allows no registry, a command without its flag) has refused. What was allowed "always" or for a project is
// remembered by the page, which is where the person sees it: /headless knows it for one boot only.

/** From /headless to its parent, with a port for the reply. Same origin only. */
export interface RegistryAsk {
  readonly type: "tabwright-registry-ask";
  /** `https://registry.npmjs.org`. */
  readonly origin: string;
  /** The first thing that is wanted, e.g. a package's name. */
  readonly what: string;
}

export type RegistryReply =
  /** Heard; a person is being asked. */
  | { readonly type: "asking" }
  | { readonly type: "answer"; readonly allowed: boolean; readonly why?: string };

export type AskHandler = (ask: RegistryAsk, withdrawn: AbortSignal) => Promise<{ readonly allowed: boolean; readonly why?: string }>;

const HEARD_MS = 3_000;

/** In /headless. Resolves with undefined when allowed, else with why not. */
export function askParent(origin: string, what: string, signal?: AbortSignal): Promise<string | undefined> {
  const refused = `This page does not allow packages to be fetched from ${origin}.`;
  if (parent === window) return Promise.resolve(refused);
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const done = (reason: string | undefined): void => {
      clearTimeout(late);
      port1.close();
      resolve(reason);
    };
    const late = setTimeout(() => done(refused), HEARD_MS);
    signal?.addEventListener("abort", () => {
      port1.postMessage({ type: "withdrawn" });
      done("The command was stopped.");
    });
    port1.onmessage = ({ data }: MessageEvent<RegistryReply>) => {
      clearTimeout(late);
      if (data.type === "answer") done(data.allowed ? undefined : (data.why ?? `You did not allow packages to be fetched from ${origin}.`));
    };
    const ask: RegistryAsk = { type: "tabwright-registry-ask", origin, what };
    parent.postMessage(ask, location.origin, [port2]);
  });
}

/** In the page. Only frames of our own origin directly below it are heard: the frame where code runs has another. */
export function answerAsks(handle: AskHandler): () => void {
  const onMessage = ({ origin, source, data, ports: [port] }: MessageEvent<unknown>): void => {
    const { type, origin: registry, what } = (data ?? {}) as Partial<RegistryAsk>;
    if (origin !== location.origin || type !== "tabwright-registry-ask" || !port || typeof registry !== "string" || typeof what !== "string") return;
    if (![...document.querySelectorAll("iframe")].some((frame) => frame.contentWindow === source)) return;
    const withdrawn = new AbortController();
    port.onmessage = () => withdrawn.abort();
    port.postMessage({ type: "asking" } satisfies RegistryReply);
    void handle({ type, origin: registry, what }, withdrawn.signal).then(
      ({ allowed, why }) => port.postMessage({ type: "answer", allowed, ...(why === undefined ? {} : { why }) } satisfies RegistryReply),
      () => port.postMessage({ type: "answer", allowed: false } satisfies RegistryReply),
    );
  };
  addEventListener("message", onMessage);
  return () => removeEventListener("message", onMessage);
}
