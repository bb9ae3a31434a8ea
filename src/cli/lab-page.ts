// The built app in a headless browser with its lab open: what `solve`, `eval` and `bench` drive.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { AgentEvent } from "../agent/events.ts";
import { AppError } from "../base/errors.ts";
import type { Lab } from "../ui/lab/lab.ts";
import type { CommandRun, PackedFiles, SolveOptions, SolveResult, TestRun } from "../ui/lab/lab-solve.ts";
import { launchProfile } from "./browser.ts";
import { buildIfNeeded } from "./build.ts";
import { serveSite } from "./serve.ts";

const EVENT = "tabwrightEvent";
const LAB_MS = 30_000;

type LabWindow = typeof globalThis & { tabwrightLab?: Lab; [EVENT](event: AgentEvent): void };

export interface LabPage {
  readonly page: Page;
  /** Starts the engine with a model (an id of the page's list, or a path that ends in .gguf), and the container. Throws what the page would have shown. */
  start(model?: string): Promise<void>;
  solve(name: string, files: PackedFiles, ask: string, options?: SolveOptions & { readonly onEvent?: (event: AgentEvent) => void }): Promise<SolveResult>;
  test(files: PackedFiles, command: string): Promise<TestRun>;
  run(files: PackedFiles, command: string): Promise<CommandRun>;
  install(packages: PackedFiles): Promise<void>;
  close(): Promise<void>;
}

/** `files`: more files to serve, by URL path. */
export async function openLabPage(files?: ReadonlyMap<string, string>): Promise<LabPage> {
  await buildIfNeeded();
  const site = await serveSite({ port: 0, ...(files ? { files } : {}) });
  // A model may be larger than memory: it is stored on disk.
  const profile = await mkdtemp(join(tmpdir(), "tabwright-lab-"));
  const browser = await launchProfile(profile);
  const close = async (): Promise<void> => {
    try {
      await browser.close();
    } finally {
      await site.close();
      await rm(profile, { recursive: true, force: true });
    }
  };
  try {
    const page = await browser.newPage();
    let listener: (event: AgentEvent) => void = () => undefined;
    await page.exposeFunction(EVENT, (event: AgentEvent) => listener(event));
    await page.goto(`${site.origin}/?lab`);
    await page.waitForFunction(() => (globalThis as LabWindow).tabwrightLab !== undefined, undefined, { timeout: LAB_MS });
    return {
      page,
      async start(model) {
        const file = model?.endsWith(".gguf") === true;
        if (file) await putModelFile(page, model);
        await asCommand(
          page.evaluate(
            ([id, chosen]) => {
              const { solve, engine } = (globalThis as LabWindow).tabwrightLab!;
              return solve.start(chosen ? engine.modelFile() : id);
            },
            [model, file] as const,
          ),
        );
      },
      async solve(name, packed, ask, { onEvent, ...options } = {}) {
        if (onEvent) listener = onEvent;
        return asCommand(
          page.evaluate(
            ([project, tree, text, told, given]) => (globalThis as LabWindow).tabwrightLab!.solve.solve(project, tree, text, told ? (event) => (globalThis as LabWindow).tabwrightEvent(event) : undefined, given),
            [name, packed, ask, onEvent !== undefined, options] as const,
          ),
        );
      },
      test: (packed, command) => asCommand(page.evaluate(([tree, text]) => (globalThis as LabWindow).tabwrightLab!.solve.test(tree, text), [packed, command] as const)),
      run: (packed, command) => asCommand(page.evaluate(([tree, text]) => (globalThis as LabWindow).tabwrightLab!.solve.run(tree, text), [packed, command] as const)),
      install: (packages) => asCommand(page.evaluate((tree) => (globalThis as LabWindow).tabwrightLab!.solve.install(tree), packages)),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function putModelFile(page: Page, path: string): Promise<void> {
  if (!existsSync(path)) throw new AppError("command/usage", `--model ${path} is no file. Give the path of a .gguf file, or the id of a model in the page's list.`);
  await page.setInputFiles("#tabwright-lab-file", path);
}

/** An error of the page as one sentence: playwright wraps it in its own words and a stack. */
async function asCommand<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    const sentence = /(?:AppError|Error): ([^\n]+)/.exec(text)?.[1] ?? text;
    throw new AppError("container/unavailable", sentence, { cause });
  }
}
