// fs.Dir: an open folder that is read entry by entry.
import { nodeError } from "../errors.ts";
import type { AnyFunction, Runtime } from "../runtime.ts";
import { takeCallback } from "./fs-arguments.ts";

const busy = (): Error => nodeError(Error, "ERR_DIR_CONCURRENT_OPERATION", "Cannot do synchronous work on directory handle with concurrent asynchronous operations");
const closed = (): Error => nodeError(Error, "ERR_DIR_CLOSED", "Directory handle was closed");

type Loop = Runtime["loop"];

export class Dir {
  readonly #path: string;
  readonly #entries: unknown[];
  readonly #loop: Loop;
  #closed = false;
  /** Reads and closes that are under way. */
  #pending = 0;

  constructor(...args: [string, unknown[], Loop]) {
    const [path, entries, loop] = args;
    // Programs get one from opendir.
    if (loop === undefined) throw nodeError(TypeError, "ERR_MISSING_ARGS", 'The "handle" argument must be specified');
    this.#path = path;
    this.#entries = entries;
    this.#loop = loop;
  }

  get path(): string {
    return this.#path;
  }

  readSync(): unknown {
    this.#checkSync();
    return this.#next();
  }

  closeSync(): void {
    this.#checkSync();
    this.#end();
  }

  #next(): unknown {
    this.#check();
    return this.#entries.shift() ?? null;
  }

  #end(): void {
    this.#check();
    this.#closed = true;
  }

  read(...args: unknown[]): Promise<unknown> | undefined {
    return this.#form(args, () => this.#next());
  }

  close(...args: unknown[]): Promise<unknown> | undefined {
    if (this.#closed && typeof args[0] === "function") return void this.#loop.nextTick(() => void (args[0] as AnyFunction)(closed()));
    return this.#form(args, () => this.#end());
  }

  async *entries(): AsyncGenerator<unknown> {
    try {
      for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
    } finally {
      await this.close();
    }
  }

  #check(): void {
    if (this.#closed) throw closed();
  }

  #checkSync(): void {
    this.#check();
    if (this.#pending > 0) throw busy();
  }

  /** A promise, or a call of the callback that was given. */
  #form(args: unknown[], run: () => unknown): Promise<unknown> | undefined {
    if (args.length === 0 || args[0] === undefined) {
      this.#pending++;
      return new Promise((resolve, reject) => this.#loop.post(() => {
        this.#pending--;
        try {
          resolve(run());
        } catch (error) {
          reject(error as Error);
        }
      }));
    }
    const done: AnyFunction = takeCallback(args, "callback");
    this.#check();
    this.#pending++;
    this.#loop.post(() => {
      this.#pending--;
      done(null, run());
    });
    return undefined;
  }
}
Object.defineProperty(Dir.prototype, Symbol.asyncIterator, { value: Dir.prototype.entries, writable: true, configurable: true, enumerable: false });
const { asyncDispose, dispose } = Symbol as unknown as { asyncDispose?: symbol; dispose?: symbol };
if (asyncDispose) Object.defineProperty(Dir.prototype, asyncDispose, { value: Dir.prototype.close, writable: true, configurable: true, enumerable: false });
if (dispose) Object.defineProperty(Dir.prototype, dispose, { value: Dir.prototype.closeSync, writable: true, configurable: true, enumerable: false });

export const openDirectory = (runtime: Runtime, path: string, entries: unknown[]): Dir => new Dir(path, entries, runtime.loop);
