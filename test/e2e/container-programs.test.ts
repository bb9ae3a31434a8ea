// The recorded programs once more, through the client in a real browser: there each process has a Worker of its own,
// with the browser's engine functions and the npm stand-ins for Node's buffer, events and string_decoder.
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FOLDER, normalise, normaliseStderr, type Outcome } from "../fixtures/node/normalise.ts";
import { PROGRAMS } from "../fixtures/node/programs.ts";
import { NETWORK_PROGRAMS } from "../fixtures/node/programs-network.ts";
import { VALUE_PROGRAMS } from "../fixtures/node/programs-values.ts";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer } from "../support/container-page.ts";

const read = (file: string): Record<string, Outcome> => (JSON.parse(readFileSync(new URL(`../fixtures/node/${file}`, import.meta.url), "utf8")) as { programs: Record<string, Outcome> }).programs;
const recorded = { ...read("recorded.json"), ...read("recorded-network.json"), ...read("recorded-values.json") };
const END_OF_INPUT = "\u0004";

let site: AppSite;
let page: Page;
let home: string;

beforeAll(async () => {
  ({ site, page } = await openContainer());
  home = await page.evaluate(() => (globalThis as ContainerWindow).wc.workdir);
});
afterAll(() => site?.close());

/** Both streams come as one, in the order of writing; their lines are compared as a bag. */
const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "").sort();

let runs = 0;

describe("a program ends and prints in the browser as under real Node 20", () => {
  for (const program of [...PROGRAMS, ...NETWORK_PROGRAMS, ...VALUE_PROGRAMS].filter(({ unitOnly }) => unitOnly !== true)) {
    it(program.name, async () => {
      // A second run of a test finds a folder of its own.
      const folder = `p${runs++}`;
      const ran = await page.evaluate(
        async ([cwd, files, argv, stdin, end]) => {
          const w = globalThis as ContainerWindow;
          await w.wc.fs.mkdir(cwd);
          for (const [path, text] of Object.entries(files)) {
            const parent = path.includes("/") ? `${cwd}/${path.slice(0, path.lastIndexOf("/"))}` : cwd;
            await w.wc.fs.mkdir(parent, { recursive: true });
            await w.wc.fs.writeFile(`${cwd}/${path}`, text);
          }
          return w.run("node", argv, { cwd, input: [...(stdin === "" ? [] : [stdin]), end] });
        },
        [folder, program.files, [...program.argv], program.stdin ?? "", END_OF_INPUT] as const,
      );
      const want = recorded[program.name] as Outcome;
      const both = `${want.stdout}\n${want.stderr}`;
      const comparable = program.wholeStderr ? normalise : normaliseStderr;
      expect(lines(comparable(ran.output, `${home}/${folder}`))).toEqual(lines(comparable(both, FOLDER)));
      expect(ran.code).toBe(want.code);
    });
  }
});

it("names what Node's web streams have and the browser's have not", async () => {
  const program = `
    const { finished } = require("node:stream/promises");
    for (const stream of [new ReadableStream(), new WritableStream(), new Response("x").body]) {
      finished(stream).catch((error) => console.log(error.code, error.message.split(":")[0]));
    }`;
  const { output } = await page.evaluate((code) => (globalThis as ContainerWindow).run("node", ["-e", code]), program);
  expect(lines(output)).toEqual(Array.from({ length: 3 }, () => "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM stream.finished of a web stream is not available"));
});
