// What `npm … --workspaces`, `yarn` and `pnpm` do, against what the real ones were recorded to do (test/fixtures/managers): the
// manager is ours, the scripts that it starts are run by this machine's shell.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runManager } from "../../../src/headless/npm/commands.ts";
import type { Host } from "../../../src/headless/npm/host.ts";
import { Vfs } from "../../../src/headless/vfs.ts";
import { COMMANDS, PROJECT, wordsOf } from "../../fixtures/managers/commands.ts";
import recorded from "../../fixtures/managers/recorded.json" with { type: "json" };

const HOME = "/home/project";
let folder: string;
const vfs = new Vfs();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "managers-"));
  for (const [path, text] of Object.entries(PROJECT)) {
    const mode = path.includes(".bin/") ? 0o755 : 0o644;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text, { mode });
    vfs.mkdir(dirname(`${HOME}/${path}`), { recursive: true });
    vfs.writeFile(`${HOME}/${path}`, new TextEncoder().encode(text), { mode });
  }
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

async function run(cwd: string, argv: readonly string[]): Promise<Outcome> {
  const here = (path: string): string => path.replaceAll(HOME, folder);
  const said = { 1: "", 2: "" };
  const host: Host = {
    vfs,
    cwd,
    env: { HOME: "/home", PATH: process.env["PATH"] ?? "" },
    terminal: false,
    registry: { document: () => Promise.reject(new Error("asked")), tarball: () => Promise.reject(new Error("asked")) },
    out: (text) => void (said[1] += text),
    err: (text) => void (said[2] += text),
    commit: () => Promise.resolve(),
    run: (command, args, options) =>
      new Promise((resolve) => {
        const child = spawn(here(command), args, { cwd: here(options.cwd), env: Object.fromEntries(Object.entries(options.env).map(([name, value]) => [name, here(value)])), stdio: ["ignore", "pipe", "pipe"] });
        const pass = (fd: 1 | 2) => (data: Buffer) => (options.output ? options.output(data) : (said[fd] += data.toString().replaceAll(folder, HOME)));
        child.stdout.on("data", pass(1));
        child.stderr.on("data", pass(2));
        child.on("error", () => resolve(127));
        child.on("close", (code) => resolve(code ?? 1));
      }),
  };
  const code = await runManager(host, argv);
  return { stdout: said[1].replace(/Done in [\d.]+s/g, "Done in 0.00s"), stderr: said[2], code };
}

describe("as the real one", () => {
  it.each(COMMANDS)("%s", async (command) => {
    const { below, words } = wordsOf(command);
    const found = await run(below === "" ? HOME : `${HOME}/${below}`, words[0] === "npm" ? words.slice(1) : words);
    const wanted = (recorded as Readonly<Record<string, Outcome>>)[command]!;
    // The real one runs the packages of a workspace at once; whose lines come first is chance.
    const comparable = ({ stdout, stderr, code }: Outcome): object => ({ code, stderr: stderr.trimEnd(), stdout: command.startsWith("pnpm -r ") && !command.includes("concurrency") ? stdout.split("\n").sort() : stdout });
    expect(comparable(found)).toEqual(comparable(wanted));
  });
});

describe("what is npm's to do", () => {
  it("is given to npm with a word on the lockfile, and what nobody does is refused by name", async () => {
    expect(await run(HOME, ["yarn", "add", "left-pad"])).toMatchObject({ code: 1, stderr: expect.stringMatching(/^warning yarn's own installer is not in this container: npm install does it\. It takes the versions of yarn\.lock where they fit/) as string });
    expect(await run(HOME, ["pnpm", "remove", "not-there"])).toMatchObject({ stderr: expect.stringContaining("takes the versions of pnpm-lock.yaml where they fit") as string });
    expect(await run(HOME, ["pnpm", "publish"])).toMatchObject({ code: 1, stdout: expect.stringContaining('"pnpm publish" is not available in this container') as string });
    expect(await run(HOME, ["yarn", "why", "c"])).toMatchObject({ code: 1, stderr: expect.stringContaining('"yarn why" is not available in this container') as string });
  });

  it("names what create asks for as npm init does, scopes too, and says nothing of installing where nothing is installed", async () => {
    const asked = async (...argv: readonly string[]): Promise<unknown> => (await run(HOME, argv)).stderr;
    expect([await asked("yarn", "create", "@s/kit"), await asked("pnpm", "create", "kit@1")]).toEqual([expect.stringContaining("@s/create-kit"), expect.stringContaining("create-kit@1")]);
    expect(await asked("yarn", "init", "-y")).not.toContain("installer");
  });
});
