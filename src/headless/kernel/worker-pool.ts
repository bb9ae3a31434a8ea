// Workers that have already run their script and wait for `start`: a spawn costs milliseconds, not a script's parse.
import { taken } from "../libraries.ts";
import type { Program, ScriptName } from "../protocol.ts";
import type { Plans } from "./npm.ts";

/** Workers kept ready. Two cover `node --test` (the runner and its first file), a third one command after another; a shell's only once one was wanted; npm is not in a hurry. */
const WARM: Readonly<Record<Program, number>> = { node: 3, sh: 1, npm: 0 };

/** A shell's script, the longest, is read in about so long. */
const READ_MS = 300;

const Code = Function;

export class WorkerPool {
  readonly #sourceOf: (program: ScriptName) => Promise<string>;
  readonly #urls = new Map<ScriptName, string>();
  #plans: Promise<Plans> | undefined;
  readonly #warm: Record<Program, Worker[]> = { node: [], sh: [], npm: [] };

  constructor(sourceOf: (program: ScriptName) => Promise<string>) {
    this.#sourceOf = sourceOf;
  }

  /** A Worker nobody else has. Another is made in its place, a moment later. */
  async take(program: Program): Promise<Worker> {
    const url = await this.url(program);
    const ready = this.#warm[program].shift(); // the oldest: the newest is still starting
    // None while one that is waited for reads the same script: on two cores each would take twice as long.
    setTimeout(() => void this.warm(program), ready ? 0 : READ_MS);
    return ready ?? new Worker(url);
  }

  async warm(program: Program): Promise<void> {
    const url = await this.url(program);
    while (this.#warm[program].length < WARM[program]) this.#warm[program].push(new Worker(url));
  }

  /** The kernel's own script for npm's command lines. */
  plans(): Promise<Plans> {
    return (this.#plans ??= this.#sourceOf("plans").then((source) => {
      new Code(source)();
      return taken() as Plans;
    }));
  }

  /** Where a Worker of this container can load a script from. */
  async url(program: ScriptName): Promise<string> {
    const known = this.#urls.get(program);
    if (known !== undefined) return known;
    const source = await this.#sourceOf(program);
    const url = this.#urls.get(program) ?? URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.#urls.set(program, url);
    return url;
  }
}
