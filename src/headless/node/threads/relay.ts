// What threads of one process tell each other besides messages: through the tree of threads, each to its parent and its children,
// in order with everything else that goes there.
import type { Sent } from "./message.ts";
import type { SentPort } from "./port-transfer.ts";

/** What goes between a thread and its parent, in both directions. */
export type ThreadLetter =
  | { readonly kind: "message"; readonly sent: Sent }
  | { readonly kind: "error"; readonly error: unknown; readonly fields: Readonly<Record<string, unknown>> }
  /** To all threads but the sender. */
  | { readonly kind: "broadcast"; readonly channel: string; readonly sent: Sent }
  /** The main thread has gone to another folder. */
  | { readonly kind: "cwd"; readonly cwd: string }
  /** A variable of an environment that the two share; undefined: it is gone. */
  | { readonly kind: "env"; readonly name: string; readonly value: string | undefined }
  /** A thread has begun or ended. */
  | { readonly kind: "alive"; readonly thread: number; readonly alive: boolean }
  | { readonly kind: "to-thread"; readonly from: number; readonly to: number; readonly request: number; readonly sent: Sent }
  /** Why it was not heard; undefined: it was. */
  | { readonly kind: "answer"; readonly to: number; readonly request: number; readonly failure: string | undefined };

/** The failure of a letter to a thread that does not live. */
export const NOBODY = "ERR_WORKER_MESSAGING_FAILED";

/** One end of a thread's tie to its parent. */
export interface Tie {
  /** SHARE_ENV. */
  readonly sharesEnv: boolean;
  post(letter: ThreadLetter, transfer: Transferable[]): void;
}

export class Relay {
  readonly parent: Tie | undefined;
  readonly #self: number;
  readonly #children = new Set<Tie>();
  /** Which child a thread below this one is reached by. */
  readonly #below = new Map<number, Tie>();
  readonly #receivers = new Map<ThreadLetter["kind"], (letter: never) => void>();

  constructor(self: number, parent: Tie | undefined) {
    this.#self = self;
    this.parent = parent;
  }

  begins(thread: number, child: Tie): void {
    this.#children.add(child);
    this.#note({ kind: "alive", thread, alive: true }, child);
  }

  ends(thread: number, child: Tie): void {
    this.#children.delete(child);
    for (const [below, tie] of this.#below) if (tie === child) this.#note({ kind: "alive", thread: below, alive: false }, child);
    this.#note({ kind: "alive", thread, alive: false }, child);
  }

  #note(letter: Extract<ThreadLetter, { kind: "alive" }>, child: Tie): void {
    if (letter.alive) this.#below.set(letter.thread, child);
    else this.#below.delete(letter.thread);
    if (letter.alive) this.parent?.post(letter, []);
    else this.#over(letter, child);
  }

  /** All threads hear of an end. */
  #over(letter: Extract<ThreadLetter, { kind: "alive" }>, from: Tie): void {
    this.spread(letter, from);
    this.#deliver(letter);
  }

  /** What becomes of letters of that kind here. */
  on<K extends ThreadLetter["kind"]>(kind: K, receiver: (letter: Extract<ThreadLetter, { kind: K }>) => void): void {
    this.#receivers.set(kind, receiver as (letter: never) => void);
  }

  /** Of the environment, to those who share it. */
  tellEnv(name: string, value: string | undefined, from?: Tie): void {
    for (const tie of [this.parent, ...this.#children]) if (tie?.sharesEnv && tie !== from) tie.post({ kind: "env", name, value }, []);
  }

  /** To all other threads; `from`: the neighbour that it came from. */
  spread(letter: ThreadLetter, from?: Tie): void {
    for (const tie of [this.parent, ...this.#children]) if (tie && tie !== from) tie.post(letter, []);
  }

  /** On its way to the thread that it is for; false: there is none. */
  route(letter: Extract<ThreadLetter, { to: number }>, transfer: Transferable[] = "sent" in letter ? portsIn(letter.sent) : []): boolean {
    if (letter.to === this.#self) this.#deliver(letter);
    else {
      const next = this.#below.get(letter.to) ?? this.parent;
      if (!next) return false;
      next.post(letter, transfer);
    }
    return true;
  }

  receive(letter: ThreadLetter, from: Tie): void {
    if (letter.kind === "alive") return from === this.parent ? this.#over(letter, from) : this.#note(letter, from);
    if (letter.kind === "env") this.tellEnv(letter.name, letter.value, from);
    if (letter.kind === "broadcast" || letter.kind === "cwd") this.spread(letter, from);
    if (!("to" in letter)) this.#deliver(letter);
    else if (!this.route(letter) && letter.kind === "to-thread") this.route({ kind: "answer", to: letter.from, request: letter.request, failure: NOBODY });
  }

  #deliver(letter: ThreadLetter): void {
    (this.#receivers.get(letter.kind) as ((letter: ThreadLetter) => void) | undefined)?.(letter);
  }
}

/** The engine's ports that go with it, to be handed over once more at each thread on the way. */
export function portsIn({ ports }: { readonly ports: readonly SentPort[] }): Transferable[] {
  return ports.flatMap((sent) => [sent.port, ...sent.pending.flatMap((pending) => (pending ? portsIn(pending) : []))]);
}
