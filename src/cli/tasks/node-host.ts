// Tests in this machine's own Node: a folder per host, the project's packages linked into it, a process group per run.
// The code runs with the rights of the user: for projects that are trusted. `--container` is for the others.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { LIMITS } from "../../base/limits.ts";
import type { RunResult } from "../../container/sandbox.ts";
import { decodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import type { TestHost } from "../../tasks/making/host.ts";

/** `packages`: a node_modules folder that the project needs. */
export async function nodeHost(packages?: string): Promise<TestHost> {
  const folder = await mkdtemp(join(tmpdir(), "tabwright-task-"));
  if (packages !== undefined && existsSync(packages)) await symlink(resolve(packages), join(folder, "node_modules"));
  return {
    async run(files, command, timeoutMs) {
      await makeEqual(folder, files);
      return runGroup(folder, scriptOf(command, files), timeoutMs);
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Writes what differs, removes what is not in the tree: what tests leave behind must not reach the next run. */
export async function makeEqual(folder: string, files: FileTree): Promise<void> {
  const found = new Set<string>();
  await mkdir(folder, { recursive: true });
  const visit = async (under: string): Promise<void> => {
    for (const entry of await readdir(join(folder, under), { withFileTypes: true })) {
      const path = under === "" ? entry.name : `${under}/${entry.name}`;
      if (path === "node_modules") continue;
      if (entry.isDirectory()) await visit(path);
      else if (files.has(path) && entry.isFile()) found.add(path);
      else await rm(join(folder, path), { force: true });
    }
  };
  await visit("");
  for (const [path, bytes] of files) {
    const target = join(folder, path);
    if (found.has(path) && (await readFile(target)).equals(bytes)) continue;
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  }
}

/** What `npm test` runs, without npm, which takes longer than most tests. With scripts before or after it npm itself runs. */
function scriptOf(command: string, files: FileTree): string {
  if (command !== "npm test") return command;
  const manifest = files.get("package.json");
  const scripts = manifest ? ((JSON.parse(decodeText(manifest) ?? "{}") as { readonly scripts?: Readonly<Record<string, string>> }).scripts ?? {}) : {};
  return scripts["pretest"] || scripts["posttest"] || !scripts["test"] ? command : scripts["test"];
}

/** A shell and all that it starts; all of it is killed at the time-out. */
function runGroup(cwd: string, command: string, timeoutMs: number): Promise<RunResult> {
  const started = performance.now();
  return new Promise((done, fail) => {
    // NODE_TEST_CONTEXT would make the child report to a test runner that is not there.
    const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: _options, FORCE_COLOR: _colour, ...env } = process.env;
    const PATH = `${join(cwd, "node_modules/.bin")}${delimiter}${env["PATH"] ?? ""}`;
    const child = spawn("sh", ["-c", command], { cwd, env: { ...env, PATH, CI: "1" }, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let end: RunResult["end"] = "exit";
    const kill = (why: RunResult["end"]): void => {
      end = why;
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      }
    };
    const timer = setTimeout(() => kill("timeout"), timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text.slice(0, LIMITS.commandOutputBytes - output.length);
        if (output.length >= LIMITS.commandOutputBytes) kill("output-limit");
      });
    }
    child.on("error", fail);
    child.on("close", (exitCode) => {
      clearTimeout(timer);
      done({ exitCode, output, end, durationMs: performance.now() - started });
    });
  });
}
