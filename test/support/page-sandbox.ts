// The container of the built page as a Sandbox in Node: every call runs through the real client in the browser.
import type { Page } from "playwright-core";
import { AppError, type ErrorCode } from "../../src/base/errors.ts";
import type { RunOptions, RunResult, Sandbox } from "../../src/container/sandbox.ts";
import type { FileTree } from "../../src/project/tree.ts";
import type { WebContainer } from "../../src/container/client.ts";
import type { ContainerLab } from "../../src/ui/lab/lab-container.ts";
import { type AppSite, openSite } from "./app-page.ts";

export type LabWindow = typeof globalThis & {
  tabwrightLab: { container: ContainerLab };
  testSandbox: Sandbox;
  testContainer: WebContainer;
  testStops: Map<number, AbortController>;
  testOutput(run: number, text: string): Promise<void>;
  /** A promise's outcome as data: an AppError would lose its code on its way to Node. */
  testAnswer<T>(promise: Promise<T>): Promise<Answer<T>>;
};

/** A page with nothing but the lab in it. */
export async function openLab(site: AppSite): Promise<Page> {
  const { page } = await site.open("/?lab");
  await page.waitForFunction(() => (globalThis as LabWindow).tabwrightLab?.container !== undefined, undefined, { timeout: 30_000 });
  return page;
}

type Packed = readonly (readonly [path: string, bytes: readonly number[]])[];
type Answer<T> = { readonly result: T } | { readonly code: string; readonly message: string };

export class PageSandbox implements Sandbox {
  readonly #page: Page;
  readonly #outputs = new Map<number, (text: string) => void>();
  #runs = 0;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(): Promise<{ sandbox: PageSandbox; close(): Promise<void> }> {
    const site = await openSite({ webgpu: false, shared: true });
    const page = await openLab(site);
    const sandbox = new PageSandbox(page);
    await page.exposeFunction("testOutput", (run: number, text: string) => sandbox.#outputs.get(run)?.(text));
    await page.evaluate(async () => {
      const lab = (globalThis as LabWindow).tabwrightLab.container;
      const testAnswer = (promise: Promise<unknown>): Promise<unknown> =>
        promise.then((result) => ({ result }), (error: Error & { code?: string }) => ({ code: error.code ?? "bug", message: error.message }));
      Object.assign(globalThis, { testSandbox: lab.sandbox(await lab.boot()), testStops: new Map(), testAnswer });
    });
    return { sandbox, close: () => site.close() };
  }

  async readFile(path: string): Promise<Uint8Array> {
    const answer = await this.#page.evaluate((p) => {
      const { testAnswer, testSandbox } = globalThis as LabWindow;
      return testAnswer((async () => Array.from(await testSandbox.readFile(p)))());
    }, path);
    return Uint8Array.from(value(answer));
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    const answer = await this.#page.evaluate(([p, data]) => {
      const { testAnswer, testSandbox } = globalThis as LabWindow;
      return testAnswer((async () => testSandbox.writeFile(p, Uint8Array.from(data)))());
    }, [path, [...bytes]] as const);
    value(answer);
  }

  async remove(path: string): Promise<void> {
    value(await this.#page.evaluate((p) => (globalThis as LabWindow).testAnswer((globalThis as LabWindow).testSandbox.remove(p)), path));
  }

  async list(): Promise<readonly string[]> {
    return value(await this.#page.evaluate(() => (globalThis as LabWindow).testAnswer((globalThis as LabWindow).testSandbox.list())));
  }

  async run(command: string, options: RunOptions = {}, signal?: AbortSignal): Promise<RunResult> {
    const run = ++this.#runs;
    if (options.onOutput) this.#outputs.set(run, options.onOutput);
    const onAbort = (): void => void this.#page.evaluate((n) => (globalThis as LabWindow).testStops.get(n)?.abort(), run);
    signal?.addEventListener("abort", onAbort, { once: true });
    const answer = await this.#page.evaluate(
      ([text, number, timeoutMs]) => {
        const { testAnswer, testSandbox, testStops, testOutput } = globalThis as LabWindow;
        const stop = new AbortController();
        testStops.set(number, stop);
        const limit = timeoutMs === null ? {} : { timeoutMs };
        return testAnswer(testSandbox.run(text, { ...limit, onOutput: (out) => void testOutput(number, out) }, stop.signal));
      },
      [command, run, options.timeoutMs ?? null] as const,
    );
    signal?.removeEventListener("abort", onAbort);
    return value(answer);
  }

  async snapshot(): Promise<FileTree> {
    const answer = await this.#page.evaluate(() => {
      const { testAnswer, testSandbox } = globalThis as LabWindow;
      return testAnswer((async () => [...(await testSandbox.snapshot())].map(([path, bytes]) => [path, Array.from(bytes)] as const))());
    });
    const packed: Packed = value(answer);
    return new Map(packed.map(([path, bytes]) => [path, Uint8Array.from(bytes)]));
  }

  async restore(tree: FileTree): Promise<void> {
    const packed: Packed = [...tree].map(([path, bytes]) => [path, [...bytes]]);
    const answer = await this.#page.evaluate((files) => {
      const { testAnswer, testSandbox } = globalThis as LabWindow;
      return testAnswer(testSandbox.restore(new Map(files.map(([path, bytes]) => [path, Uint8Array.from(bytes)]))));
    }, packed);
    value(answer);
  }
}

function value<T>(answer: Answer<T>): T {
  if ("code" in answer) throw new AppError(answer.code as ErrorCode, answer.message);
  return answer.result;
}
