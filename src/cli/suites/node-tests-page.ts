// Runs Node's own tests in containers of a page: many in one, each a process; a container that stops answering is replaced.
import type { Browser, Page } from "playwright-core";
import type { ContainerLab } from "../../ui/lab/lab-container.ts";
import { TESTS_PATH, type NodeTest, type NodeTestRun } from "./node-tests.ts";

const LAB_MS = 60_000;
/** Tests leave files and servers behind: after so many a fresh container takes over. */
const PER_CONTAINER = 60;

type LabWindow = typeof globalThis & { tabwrightLab?: { container?: ContainerLab }; nodeTests?: Awaited<ReturnType<ContainerLab["boot"]>> };

export class NodeTestsPage {
  readonly #browser: Browser;
  readonly #origin: string;
  readonly #limitMs: number;
  #page: Page | undefined;
  #ran = 0;

  constructor(browser: Browser, origin: string, limitMs: number) {
    this.#browser = browser;
    this.#origin = origin;
    this.#limitMs = limitMs;
  }

  async run(test: NodeTest): Promise<NodeTestRun> {
    if (this.#ran++ % PER_CONTAINER === 0) await this.close();
    try {
      this.#page ??= await this.#open();
      const end = await Promise.race([this.#page.evaluate(runHere, { args: [...test.flags, `test/${test.name}`], limitMs: this.#limitMs }), hung(this.#limitMs + 10_000)]);
      if (end.code === null) await this.close();
      return { ...test, passed: end.code === 0, end: end.code === null ? "late" : `exit ${end.code}`, output: end.output };
    } catch (error) {
      await this.close();
      return { ...test, passed: false, end: "crash", output: String(error) };
    }
  }

  async close(): Promise<void> {
    const page = this.#page;
    this.#page = undefined;
    await page?.close().catch(() => undefined);
  }

  async #open(): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.goto(`${this.#origin}/?lab`);
    await page.waitForFunction(() => (globalThis as LabWindow).tabwrightLab?.container !== undefined, undefined, { timeout: LAB_MS });
    await page.evaluate(async (url) => {
      const container = await (globalThis as LabWindow).tabwrightLab!.container!.boot();
      await container.mount(new Uint8Array(await (await fetch(url)).arrayBuffer()));
      (globalThis as LabWindow).nodeTests = container;
    }, TESTS_PATH);
    return page;
  }
}

function hung(ms: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("The page does not answer.")), ms).unref());
}

/** In the page. */
async function runHere({ args, limitMs }: { args: string[]; limitMs: number }): Promise<{ code: number | null; output: string }> {
  const child = await (globalThis as LabWindow).nodeTests!.spawn("node", args);
  let output = "";
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill();
  }, limitMs);
  const read = child.output.pipeTo(
    new WritableStream({
      write(text) {
        output = (output + text).slice(-100_000);
      },
    }),
  );
  const code = await child.exit;
  clearTimeout(timer);
  await Promise.race([read, new Promise((resolve) => setTimeout(resolve, 1000))]);
  return { code: late ? null : code, output };
}
