// A shell at a terminal of a page's container, typed into as at a keyboard.
import type { Page } from "playwright-core";
import type { ContainerWindow } from "./container-page.ts";

type ShellWindow = ContainerWindow & {
  shell: { output: string; write(keys: string): void; resize(cols: number, rows: number): void; ended: Promise<number> };
};

const WAIT_MS = 10_000;

/** Colours and moves taken out. */
// oxlint-disable-next-line no-control-regex -- what a terminal is sent
export const plain = (text: string): string => text.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, "").replaceAll("\r", "");

export class PageShell {
  readonly #page: Page;
  /** Where what is waited for begins. */
  #from = 0;

  private constructor(page: Page) {
    this.#page = page;
  }

  static async open(page: Page, files: Readonly<Record<string, string>> = {}): Promise<PageShell> {
    await page.evaluate(async (given) => {
      const w = globalThis as ShellWindow;
      for (const [path, text] of Object.entries(given)) {
        if (path.includes("/")) await w.wc.fs.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
        await w.wc.fs.writeFile(path, text);
      }
      const process = await w.wc.spawn("jsh", [], { terminal: { cols: 80, rows: 24 } });
      const writer = process.input.getWriter();
      w.shell = { output: "", write: (keys) => void writer.write(keys), resize: (cols, rows) => process.resize({ cols, rows }), ended: process.exit };
      void process.output.pipeTo(new WritableStream({ write: (text) => void (w.shell.output += text) }));
    }, files);
    const shell = new PageShell(page);
    await shell.shows("$ ");
    return shell;
  }

  /** What came since the last `enter` or `type`. */
  async output(): Promise<string> {
    return plain((await this.raw()).slice(this.#from));
  }

  raw(): Promise<string> {
    return this.#page.evaluate(() => (globalThis as ShellWindow).shell.output);
  }

  /** Keys; what is waited for next comes after them. */
  async type(keys: string): Promise<void> {
    this.#from = (await this.raw()).length;
    await this.#page.evaluate((text) => (globalThis as ShellWindow).shell.write(text), keys);
  }

  /** A command line, once there is a prompt. */
  async enter(line: string): Promise<void> {
    await this.type(`${line}\r`);
  }

  async shows(text: string | RegExp): Promise<void> {
    const end = performance.now() + WAIT_MS;
    for (;;) {
      const output = await this.output();
      if (typeof text === "string" ? output.includes(text) : text.test(output)) return;
      if (performance.now() > end) throw new Error(`The terminal does not show ${String(text)}:\n${output}`);
      await this.#page.waitForTimeout(20);
    }
  }

  resize(cols: number, rows: number): Promise<void> {
    return this.#page.evaluate(([c, r]) => (globalThis as ShellWindow).shell.resize(c, r), [cols, rows] as const);
  }
}
