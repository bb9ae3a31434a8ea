// The exit code is the agent's ground truth: every recorded case of real Node ends the same way in the container.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readProject } from "../../src/cli/project-files.ts";
import { type Case, countsOf, type Recorded } from "../fixtures/exit-codes/cases.ts";
import { type AppSite, openSite } from "../support/app-page.ts";
import { type LabWindow, openLab } from "../support/page-sandbox.ts";

const folder = fileURLToPath(new URL("../fixtures/exit-codes/", import.meta.url));
const { node, cases } = JSON.parse(readFileSync(join(folder, "recorded.json"), "utf8")) as { node: string; cases: Record<string, Recorded> };

let site: AppSite;
let page: Page;

beforeAll(async () => {
  site = await openSite({ webgpu: false, shared: true });
  page = await openLab(site);
  const { files } = await readProject(join(folder, "cases"));
  await page.evaluate(async (entries) => {
    const { container: lab } = (globalThis as LabWindow).tabwrightLab;
    const container = await lab.boot();
    await container.mount(Uint8Array.from(lab.encodeTree(new Map(entries.map(([path, bytes]) => [path, Uint8Array.from(bytes)])))));
    Object.assign(globalThis, { testContainer: container });
  }, [...files].map(([path, bytes]) => [path, [...bytes]] as const));
});
afterAll(() => site?.close());

async function runCase(name: string, { args, killAfter }: Case): Promise<{ exitCode: number; output: string }> {
  return page.evaluate(
    async ([cwd, list, word]) => {
      const container = (globalThis as LabWindow).testContainer;
      const process = await container.spawn("node", [...list], { cwd });
      let output = "";
      let killed = false;
      await process.output.pipeTo(
        new WritableStream({
          write(text) {
            output += text;
            if (word === null || killed || !output.includes(word)) return;
            killed = true;
            setTimeout(() => process.kill(), 50);
          },
        }),
      );
      return { exitCode: await process.exit, output };
    },
    [name, args, killAfter ?? null] as const,
  );
}

describe(`node in the container ends as Node ${node} does`, () => {
  it("has a recording of every case", () => {
    expect(Object.keys(cases).sort()).toEqual(readdirSync(join(folder, "cases")).sort());
  });

  it.each(Object.keys(cases))("in the case %s", async (name) => {
    const recorded = cases[name] as Recorded;
    const { exitCode, output } = await runCase(name, JSON.parse(readFileSync(join(folder, "cases", name, "case.json"), "utf8")) as Case);
    expect({ exitCode, counts: countsOf(output) }, output.slice(-2000)).toEqual({ exitCode: recorded.exitCode, counts: recorded.counts });
    // stdout and stderr come as one stream: what Node says on stderr follows or surrounds what the program printed.
    if (recorded.stdoutLength !== undefined) expect(output.length).toBe(recorded.stdoutLength);
    if (recorded.stdout !== undefined && recorded.error === null && recorded.exitCode === 0) expect(output).toBe(recorded.stdout);
    if (recorded.stdout !== undefined) for (const line of recorded.stdout.split("\n")) expect(output).toContain(line);
    if (recorded.error !== null) expect(output).toContain(recorded.error);
  });
});
