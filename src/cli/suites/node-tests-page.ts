// Runs Node's own tests in containers: many in one, each a process; a container that stops answering is replaced.
import type { Browser } from "playwright-core";
import { ContainerPage } from "./container-run.ts";
import { TESTS_PATH, type NodeTest, type NodeTestRun } from "./node-tests.ts";

/** Tests leave files and servers behind: after so many a fresh container takes over. */
const PER_CONTAINER = 60;
/** To what a test may take: then the page itself hangs. */
const PATIENCE_MS = 10_000;

export class NodeTestsPage {
  readonly #browser: Browser;
  readonly #origin: string;
  readonly #limitMs: number;
  #page: ContainerPage | undefined;
  #ran = 0;

  constructor(browser: Browser, origin: string, limitMs: number) {
    this.#browser = browser;
    this.#origin = origin;
    this.#limitMs = limitMs;
  }

  async run(test: NodeTest): Promise<NodeTestRun> {
    if (this.#ran++ % PER_CONTAINER === 0) await this.close();
    try {
      this.#page ??= await ContainerPage.open(this.#browser, this.#origin, TESTS_PATH);
      const { exitCode, output } = await Promise.race([this.#page.run("node", [...test.flags, `test/${test.name}`], this.#limitMs), hung(this.#limitMs + PATIENCE_MS)]);
      if (exitCode === null) await this.close(); // what it has left may run on
      return { ...test, passed: exitCode === 0, end: exitCode === null ? "late" : `exit ${exitCode}`, output };
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
}

function hung(ms: number): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("The page does not answer.")), ms).unref());
}
