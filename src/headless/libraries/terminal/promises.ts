// readline/promises: questions that are awaited, and moves of the cursor that are written together.
import type { StreamLike } from "../../node/runtime.ts";
import type { InterfaceClass } from "./interface.ts";
import type { TerminalTools } from "./tools.ts";
import { CURSOR } from "./tty.ts";

export function makePromiseInterface(Interface: InterfaceClass) {
  return class extends Interface {
    static {
      Object.defineProperty(this, "name", { value: "Interface" });
    }

    // The promise form hides the callback form on purpose, as in Node.
    override question(query: string, options: { readonly signal?: AbortSignal } = {}): Promise<string> & void {
      return new Promise<string>((resolve, reject) => {
        const { signal } = options;
        const aborted = (): Error => Object.assign(new Error("The operation was aborted", { cause: signal?.reason }), { name: "AbortError", code: "ABORT_ERR" });
        if (signal?.aborted) return reject(aborted());
        const cancel = (): void => {
          this._forgetQuestion();
          reject(aborted());
        };
        signal?.addEventListener("abort", cancel, { once: true });
        this._ask(query, (line) => {
          signal?.removeEventListener("abort", cancel);
          resolve(line);
        });
      }) as Promise<string> & void;
    }
  };
}

export function makeReadline({ errors }: TerminalTools) {
  return class Readline {
    readonly #stream: StreamLike;
    readonly #autoCommit: boolean;
    #todo: string[] = [];

    constructor(stream: StreamLike, options: { readonly autoCommit?: boolean } = {}) {
      if (typeof stream?.write !== "function") throw errors.invalidArgType("stream", "Stream", stream);
      this.#stream = stream;
      this.#autoCommit = options.autoCommit === true;
    }

    #add(code: string): this {
      if (this.#autoCommit) queueMicrotask(() => void this.#stream.write(code));
      else this.#todo.push(code);
      return this;
    }

    clearLine(direction: -1 | 0 | 1): this {
      return this.#add(CURSOR.clearLine(direction));
    }

    clearScreenDown(): this {
      return this.#add(CURSOR.clearScreenDown());
    }

    cursorTo(x: number, y?: number): this {
      return this.#add(CURSOR.cursorTo(x, y));
    }

    moveCursor(dx: number, dy: number): this {
      return dx === 0 && dy === 0 ? this : this.#add(CURSOR.moveCursor(dx, dy));
    }

    commit(): Promise<void> {
      const text = this.#todo.join("");
      this.#todo = [];
      return new Promise((resolve) => void (this.#stream.write as (text: string, done: () => void) => boolean)(text, () => resolve()));
    }

    rollback(): this {
      this.#todo = [];
      return this;
    }
  };
}
