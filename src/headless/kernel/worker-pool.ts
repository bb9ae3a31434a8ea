// Workers that have already run their script and wait for `start`: a spawn costs milliseconds, not a script's parse.
import type { Program } from "../protocol.ts";

/** Workers kept ready. Two cover `node --test` (the runner and its first file); a shell's only once one was wanted. */
const WARM: Readonly<Record<Program, number>> = { node: 2, sh: 1 };

export class WorkerPool {
  readonly #sourceOf: (program: Program) => Promise<string>;
  readonly #urls = new Map<Program, string>();
  readonly #warm: Record<Program, Worker[]> = { node: [], sh: [] };

  constructor(sourceOf: (program: Program) => Promise<string>) {
    this.#sourceOf = sourceOf;
  }

  /** A Worker nobody else has. Another is made in its place, a moment later. */
  async take(program: Program): Promise<Worker> {
    const url = await this.#url(program);
    const worker = this.#warm[program].pop() ?? new Worker(url);
    setTimeout(() => void this.warm(program), 0);
    return worker;
  }

  async warm(program: Program): Promise<void> {
    const url = await this.#url(program);
    while (this.#warm[program].length < WARM[program]) this.#warm[program].push(new Worker(url));
  }

  async #url(program: Program): Promise<string> {
    const known = this.#urls.get(program);
    if (known !== undefined) return known;
    const source = await this.#sourceOf(program);
    const url = this.#urls.get(program) ?? URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.#urls.set(program, url);
    return url;
  }
}
