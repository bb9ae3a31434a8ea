// Questions of npm processes on their way to /headless and back. A process that ends takes its questions with it.
import type { FromKernel } from "../bridge.ts";
import type { RegistryAnswer, RegistryQuestion } from "../registry/question.ts";

interface Call {
  readonly owner: object;
  resolve(answer: RegistryAnswer): void;
}

export class RegistryCalls {
  readonly #send: (message: FromKernel) => void;
  readonly #calls = new Map<number, Call>();
  #last = 0;

  constructor(send: (message: FromKernel) => void) {
    this.#send = send;
  }

  /** `owner`: the process that asks. */
  ask(owner: object, question: RegistryQuestion, resolve: (answer: RegistryAnswer) => void): void {
    const request = ++this.#last;
    this.#calls.set(request, { owner, resolve });
    this.#send({ type: "registry", request, question });
  }

  answered(request: number, answer: RegistryAnswer): void {
    this.#calls.get(request)?.resolve(answer);
    this.#calls.delete(request);
  }

  cancel(owner: object): void {
    for (const [request, call] of this.#calls) {
      if (call.owner !== owner) continue;
      this.#calls.delete(request);
      this.#send({ type: "registry-cancel", request });
    }
  }
}
