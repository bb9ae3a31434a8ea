// How a device fares: what failed without anyone asking, whether it is lost, and how long an answer of it may take.
// Shared by all leases of a device.
import { afterAwake } from "../base/awake-timer.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type Patience, watched } from "./watchdog.ts";

/** A software adapter computes on CPUs that do other work too, and compiles a kernel when it first runs. */
const SOFTWARE_PATIENCE = 6;
/** A browser says that a device is lost this soon after it refuses what waits (Chrome 143: in the same task or the next). */
const LOSS_TOLD_MS = 100;

export class GpuHealth {
  /** How long an answer may take. A GPU made of software is slow without being stuck. */
  patience: Patience;
  /** Told when an answer takes long. */
  onSlow: () => void = () => undefined;
  readonly #device: GPUDevice;
  readonly #lost = new AbortController();
  #failure: AppError | undefined;
  #closed = false;

  constructor(device: GPUDevice, software: boolean) {
    this.#device = device;
    const slow = software ? SOFTWARE_PATIENCE : 1;
    this.patience = { slowMs: LIMITS.gpuSlowMs * slow, hungMs: LIMITS.gpuHungMs * slow };
    device.addEventListener("uncapturederror", ({ error }) => {
      const code = error instanceof GPUOutOfMemoryError ? "gpu/memory" : "bug";
      this.fail(new AppError(code, code === "bug" ? `The GPU refused a command: ${error.message}` : "The GPU is out of memory. Lower the expert budget or the context length."));
    });
    void device.lost.then(({ message }) => this.#lose(message || "no reason given"));
  }

  /** The first thing that went wrong without anyone asking: a lost device or a validation error. Undefined while all is well. */
  get failure(): AppError | undefined {
    return this.#failure;
  }

  /** Aborts when the device is lost, with the error as its reason: whatever is made of it has to be made again. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Nothing this device computes can be trusted any more. The first reason stays. */
  fail(error: AppError): void {
    this.#failure ??= error;
  }

  /** Throws the failure, if there is one. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Waits for the GPU. Throws what made it fail: also where it never answers. */
  async answer<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#lost;
    let lost = (): void => undefined;
    const gone = new Promise<never>((_, reject) => (lost = () => reject(signal.reason as AppError)));
    signal.addEventListener("abort", lost, { once: true });
    work.catch(() => undefined); // a failure of the device may come first
    try {
      this.check();
      const result = await watched(Promise.race([work, gone]), this.patience, () => this.onSlow(), () => this.#hang());
      this.check();
      return result;
    } catch (error) {
      throw await this.cause(error);
    } finally {
      signal.removeEventListener("abort", lost);
    }
  }

  /**
   * What is behind an error of this device's: the loss, if it was lost. Browsers refuse what waits with errors of other names
   * (AbortError, OperationError) a moment before they say that it is lost.
   */
  async cause(thrown: unknown): Promise<AppError> {
    const error = toAppError(thrown);
    const isOurs = thrown instanceof AppError && error.code !== "aborted" && error.code !== "bug";
    if (!isOurs && !this.#closed && !this.#failure) {
      await new Promise<void>((resolve) => {
        const told = (): void => resolve(cancel());
        const cancel = afterAwake(LOSS_TOLD_MS, resolve);
        this.#lost.signal.addEventListener("abort", told, { once: true });
      });
    }
    return this.#failure ?? error;
  }

  /** From here on the device may go without being lost. */
  close(): void {
    this.#closed = true;
  }

  #hang(): void {
    this.#lose(`it has not answered for ${Math.round(this.patience.hungMs / 1000)} seconds`);
    this.#device.destroy();
  }

  #lose(why: string): void {
    if (this.#closed || this.#lost.signal.aborted) return;
    // What was refused before was refused because of this.
    this.#failure = new AppError("gpu/lost", `The GPU was lost (${why.trim().replace(/\.$/, "")}).`);
    this.#lost.abort(this.#failure);
  }
}
