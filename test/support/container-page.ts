// A page with a booted container and a few helpers in it, for tests of the client's own API.
import type { Page } from "playwright-core";
import type { WebContainer } from "../../src/container/client.ts";
import { type AppSite, openSite } from "./app-page.ts";
import { type LabWindow, openLab } from "./page-sandbox.ts";

export interface Ran {
  readonly code: number;
  readonly output: string;
}

export interface RunInit {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly terminal?: { cols: number; rows: number };
  /** Written to the process at once; U+0004 ends its input. */
  readonly input?: readonly string[];
}

/** The page's globals inside `evaluate`. `wc` is the client's own object, nothing of ours around it. */
export type ContainerWindow = LabWindow & {
  wc: WebContainer;
  run(command: string, args?: readonly string[], init?: RunInit): Promise<Ran>;
  /** Resolves with the error's message. */
  failure(promise: Promise<unknown>): Promise<string>;
  pause(ms: number): Promise<void>;
};

/** `isolation`: false for a page that may not share memory with Workers. */
export async function openContainer({ isolation = true } = {}): Promise<{ site: AppSite; page: Page }> {
  const site = await openSite({ webgpu: false, shared: true }, { isolation });
  const page = await openLab(site);
  await page.evaluate(async () => {
    const w = globalThis as ContainerWindow;
    w.wc = await w.tabwrightLab.container.boot();
    w.run = async (command, args = [], init = {}) => {
      const { input, ...options } = init;
      const process = await w.wc.spawn(command, [...args], options);
      if (input) {
        const writer = process.input.getWriter();
        for (const text of input) await writer.write(text);
      }
      let output = "";
      await process.output.pipeTo(new WritableStream({ write: (text) => void (output += text) }));
      return { code: await process.exit, output };
    };
    w.failure = (promise) => promise.then(() => "no error", (error: Error) => error.message);
    w.pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  });
  return { site, page };
}
