// Questions of the container to a package registry, in /headless: checked again, answered from what is stored if it can
// be, else asked of the registry once the page's person has allowed its host. The requests are made by a worker.
// Why here and not in the app: the container's client and its protocol stay what they are, and a message between two pages
// of one origin is all that consent needs.
import { LIMITS } from "../../base/limits.ts";
import { askParent } from "../registry/consent.ts";
import { checkQuestion, type RegistryAnswer, type RegistryQuestion, registryOrigin } from "../registry/question.ts";
import type { RegistryCall, RegistryResult } from "../registry/worker-api.ts";

/** In one boot, before nobody is asked any more. */
const MOST_REFUSALS = 5;

interface Waiting {
  resolve(answer: RegistryAnswer | undefined): void;
}

export class RegistryClient {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #running = 0;
  #refusals = 0;
  readonly #queue: (() => void)[] = [];
  /** By origin: what the page said in this boot; a refusal is asked about again by the next command. */
  readonly #consents = new Map<string, Promise<string | undefined>>();

  /** Never rejects. */
  async answer(value: unknown, signal: AbortSignal): Promise<RegistryAnswer> {
    const question = checkQuestion(value);
    const origin = question && registryOrigin(question.registry);
    if (!question || origin === undefined) return { ok: false, code: "EREFUSED", message: "That is not a package of a registry: this container fetches nothing else." };
    const stored = await this.#call({ type: "stored", question }, signal);
    if (stored) return stored;
    const refused = await this.#consent(origin, question, signal);
    if (refused !== undefined) {
      return { ok: false, code: "ENEEDCONSENT", message: `${refused}\nNothing was fetched and nothing has changed. Allow ${origin} and run the command again.` };
    }
    return (await this.#inTurn(() => this.#call({ type: "fetch", question }, signal))) ?? { ok: false, code: "ENETWORK", message: "The registry gave no answer." };
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  #consent(origin: string, question: RegistryQuestion, signal: AbortSignal): Promise<string | undefined> {
    let consent = this.#consents.get(origin);
    // Code in the container can run npm as often as it likes: a person is not asked as often.
    if (!consent && this.#refusals >= MOST_REFUSALS) return Promise.resolve("Packages were refused several times. Reload the page to be asked again.");
    if (!consent) {
      consent = askParent(origin, question.kind === "document" ? question.name : question.url.slice(question.registry.length), signal);
      this.#consents.set(origin, consent);
      void consent.then((refused) => {
        if (refused === undefined) return;
        this.#consents.delete(origin);
        if (!signal.aborted) this.#refusals++;
      });
    }
    return consent;
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    if (this.#running >= LIMITS.registryRequests) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#running++;
    try {
      return await action();
    } finally {
      this.#running--;
      this.#queue.shift()?.();
    }
  }

  #call(call: RegistryCall, signal: AbortSignal): Promise<RegistryAnswer | undefined> {
    if (signal.aborted) return Promise.resolve({ ok: false, code: "EABORTED", message: "The command was stopped." });
    const id = ++this.#last;
    const worker = (this.#worker ??= this.#start());
    return new Promise((resolve) => {
      this.#waiting.set(id, { resolve });
      signal.addEventListener("abort", () => worker.postMessage({ id, call: { type: "abort" } }));
      worker.postMessage({ id, call });
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("../../../workers/registry.ts", import.meta.url), { type: "module", name: "registry" });
    worker.onmessage = ({ data: { id, answer } }: MessageEvent<RegistryResult>) => {
      this.#waiting.get(id)?.resolve(answer);
      this.#waiting.delete(id);
    };
    worker.onerror = () => this.close();
    return worker;
  }
}
