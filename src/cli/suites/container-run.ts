// A container in a page of its own, with a packed tree mounted, and commands in it that are ended when they take too long.
import type { Browser, Page } from "playwright-core";
import type { ContainerLab } from "../../ui/lab/lab-container.ts";

const LAB_MS = 60_000;
/** What a command printed last may come after its end. */
const LAST_WORDS_MS = 2000;

type RunWindow = typeof globalThis & { tabwrightLab?: { container?: ContainerLab }; mounted?: Awaited<ReturnType<ContainerLab["boot"]>> };

export interface ContainerRun {
  /** Null for one that took too long. */
  readonly exitCode: number | null;
  /** stdout and stderr, as they came. */
  readonly output: string;
  readonly durationMs: number;
}

export class ContainerPage {
  readonly #page: Page;
  readonly workdir: string;
  /** The container's PATH. */
  readonly path: string;

  private constructor(page: Page, { workdir, path }: { readonly workdir: string; readonly path: string }) {
    this.#page = page;
    this.workdir = workdir;
    this.path = path;
  }

  /** `origin` serves the app, and the packed tree at `snapshotUrl`. */
  static async open(browser: Browser, origin: string, snapshotUrl: string): Promise<ContainerPage> {
    const page = await browser.newPage();
    try {
      await page.goto(`${origin}/?lab`);
      await page.waitForFunction(() => (globalThis as RunWindow).tabwrightLab?.container !== undefined, undefined, { timeout: LAB_MS });
      const places = await page.evaluate(async (url) => {
        const container = await (globalThis as RunWindow).tabwrightLab!.container!.boot();
        await container.mount(new Uint8Array(await (await fetch(url)).arrayBuffer()));
        (globalThis as RunWindow).mounted = container;
        return { workdir: container.workdir, path: container.path };
      }, snapshotUrl);
      return new ContainerPage(page, places);
    } catch (error) {
      await page.close();
      throw error;
    }
  }

  /** The time is of the command alone, from its start to its end. */
  run(command: string, args: readonly string[], limitMs: number, env: Readonly<Record<string, string>> = {}): Promise<ContainerRun> {
    return this.#page.evaluate(runHere, { command, args: [...args], env: { ...env }, limitMs, lastMs: LAST_WORDS_MS });
  }

  close(): Promise<void> {
    return this.#page.close();
  }
}

/** In the page. */
async function runHere({ command, args, env, limitMs, lastMs }: { command: string; args: string[]; env: Record<string, string>; limitMs: number; lastMs: number }): Promise<ContainerRun> {
  const startedMs = performance.now();
  const child = await (globalThis as RunWindow).mounted!.spawn(command, args, { env });
  let output = "";
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill();
  }, limitMs);
  // A method: a named arrow function would need a helper of the bundler that the page does not have.
  const read = child.output.pipeTo(
    new WritableStream({
      write(text) {
        output += text;
      },
    }),
  );
  const exitCode = await child.exit;
  const durationMs = performance.now() - startedMs;
  clearTimeout(timer);
  await Promise.race([read, new Promise((resolve) => setTimeout(resolve, lastMs))]);
  return { exitCode: late ? null : exitCode, output, durationMs };
}
