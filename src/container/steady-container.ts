// A container that outlives its crashes: one that has died (too much memory, a frame that went elsewhere) is told from one
// that is busy by its host, which is asked now and then, and is started again with the project in it. What is asked meanwhile
// waits and is asked of the new one; what ran has ended. After a few times in a row nobody starts it but the user.
import { AppError, toAppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Container, WebContainer, WebContainerProcess } from "./client.ts";

/** While nothing else is asked, this often; the host itself tells silence from death (src/headless/page/kernel-client.ts). */
const PULSE_MS = 4000;

/** What the owner of the project does for it. */
export interface SteadyOwner {
  boot(): Promise<WebContainer>;
  /** Puts the project into a container that is new, before anything else is asked of it. */
  fill(container: Container): Promise<void>;
  /** It has crashed; it is being started again. */
  lost(): void;
  back(): void;
  /** It was started again too often, or could not be. `restart` is the user's to call now. */
  gaveUp(error: AppError): void;
}

type Fs = WebContainer["fs"];

/** One container from its boot to its end. */
interface Life {
  readonly container: WebContainer;
  /** Rejects when it has died; never resolves. */
  readonly death: Promise<never>;
  dead: boolean;
  die(): void;
}

export class SteadyContainer implements Container {
  readonly fs: Fs;
  readonly #owner: SteadyOwner;
  readonly #lives = new WeakMap<WebContainerProcess, Life>();
  /** To be put on again after a crash. */
  readonly #attachments = new Set<(container: WebContainer) => void>();
  #life: Promise<Life>;
  #crashes = 0;

  private constructor(owner: SteadyOwner) {
    this.#owner = owner;
    this.#life = this.#start();
    const ask = <T>(what: (fs: Fs) => Promise<T>): Promise<T> => this.#ask(({ fs }) => what(fs));
    this.fs = {
      readFile: (...args: Parameters<Fs["readFile"]>) => ask((fs) => fs.readFile(...args)),
      writeFile: (...args: Parameters<Fs["writeFile"]>) => ask((fs) => fs.writeFile(...args)),
      readdir: (...args: Parameters<Fs["readdir"]>) => ask((fs) => fs.readdir(...args)),
      mkdir: (...args: Parameters<Fs["mkdir"]>) => ask((fs) => fs.mkdir(...args) as Promise<unknown>),
      rm: (...args: Parameters<Fs["rm"]>) => ask((fs) => fs.rm(...args)),
      rename: (...args: Parameters<Fs["rename"]>) => ask((fs) => fs.rename(...args)),
      watch: (...args: Parameters<Fs["watch"]>) => {
        let watcher: ReturnType<Fs["watch"]> | undefined;
        const detach = this.#attach((container) => (watcher = container.fs.watch(...args)));
        return {
          close: () => {
            detach();
            watcher?.close();
          },
        };
      },
    } as unknown as Fs;
  }

  /** Resolves when the first container is there and filled. */
  static async start(owner: SteadyOwner): Promise<SteadyContainer> {
    const container = new SteadyContainer(owner);
    await container.#life;
    setInterval(() => void container.#pulse(), PULSE_MS);
    return container;
  }

  export: WebContainer["export"] = ((...args: Parameters<WebContainer["export"]>) => this.#ask((container) => container.export(...args))) as WebContainer["export"];

  mount(...args: Parameters<WebContainer["mount"]>): Promise<void> {
    return this.#ask((container) => container.mount(...args));
  }

  spawn: WebContainer["spawn"] = (async (...args: Parameters<WebContainer["spawn"]>) => {
    const [process, life] = await this.#ask(async (container, life) => [await container.spawn(...args), life] as const);
    this.#lives.set(process, life);
    return process;
  }) as WebContainer["spawn"];

  on: WebContainer["on"] = ((...args: Parameters<WebContainer["on"]>) => {
    let off: (() => void) | undefined;
    const detach = this.#attach((container) => (off = container.on(...args)));
    return () => {
      detach();
      off?.();
    };
  }) as WebContainer["on"];

  /** Whether a process that has ended did so because the container crashed under it. */
  async crashed(process: WebContainerProcess): Promise<boolean> {
    const life = this.#lives.get(process);
    if (!life || life.dead) return life !== undefined;
    await this.#look(life);
    return life.dead;
  }

  /** Starts it again after it was given up. */
  async restart(): Promise<void> {
    this.#crashes = 0;
    this.#becomes(this.#start());
    await this.#life;
    this.#owner.back();
  }

  async #start(): Promise<Life> {
    const container = await this.#owner.boot();
    const { promise: death, reject } = Promise.withResolvers<never>();
    death.catch(() => undefined); // whoever waits has a race with it
    const life: Life = {
      container, death, dead: false,
      die: () => {
        if (life.dead) return;
        life.dead = true;
        reject(new AppError("container/stopped", "The container has crashed."));
        container.teardown();
        this.#becomes(this.#recover());
      },
    };
    try {
      await this.#owner.fill(container);
    } catch (error) {
      container.teardown();
      throw error;
    }
    container.on("error", () => life.die());
    for (const attach of this.#attachments) attach(container);
    return life;
  }

  #becomes(life: Promise<Life>): void {
    this.#life = life;
    life.catch(() => undefined); // told to the owner, and to whoever asks
  }

  /** The next container, or the reason why there is none. */
  async #recover(): Promise<Life> {
    for (;;) {
      const count = ++this.#crashes;
      if (count > LIMITS.containerCrashes) throw this.#giveUp(`The container has crashed ${count} times, so it is not started again by itself.`);
      this.#owner.lost();
      try {
        const life = await this.#start();
        this.#owner.back();
        return life;
      } catch (error) {
        const { code, message } = toAppError(error);
        // A host that does not answer does not do so a second time.
        if (code === "container/unavailable") throw this.#giveUp(`The container has crashed, and no other could be started. ${message}`, error);
      }
    }
  }

  #giveUp(message: string, cause?: unknown): AppError {
    const error = new AppError("container/stopped", message, { data: { restart: true }, cause });
    this.#owner.gaveUp(error);
    return error;
  }

  #attach(attach: (container: WebContainer) => void): () => void {
    this.#attachments.add(attach);
    // On one that is dying it is put on the next.
    void this.#life.then(({ container, dead }) => {
      if (!dead && this.#attachments.has(attach)) attach(container);
    }, () => undefined);
    return () => this.#attachments.delete(attach);
  }

  /** Of the container that is there; once more, of the next, when it dies over it. */
  async #ask<T>(what: (container: WebContainer, life: Life) => Promise<T>): Promise<T> {
    for (;;) {
      const life = await this.#life;
      try {
        return await Promise.race([what(life.container, life), life.death]);
      } catch (error) {
        if (!life.dead) await this.#look(life);
        if (!life.dead) throw error;
      }
    }
  }

  async #pulse(): Promise<void> {
    const life = await this.#life.catch(() => undefined); // nothing to look after
    if (life && !life.dead) await this.#look(life);
  }

  /** Finds out whether it lives: its host answers, or says that it is gone. */
  async #look(life: Life): Promise<void> {
    // The host's own frame may have been taken out of the page.
    if (!document.querySelector("iframe[src*='/headless?']")) return life.die();
    await Promise.race([life.container.fs.readdir("/"), life.death]).catch(() => life.die());
  }
}
