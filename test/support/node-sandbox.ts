// A Sandbox over a temporary folder and real Node: what the in-page container must look like to the agent.
// Close it when done; commands run with a bare environment, and a kill takes the whole process group.
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AppError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { RunOptions, RunResult, Sandbox } from "../../src/container/sandbox.ts";
import { isIgnoredPath, normalizeFilePath } from "../../src/project/paths.ts";
import type { FileTree } from "../../src/project/tree.ts";

export class NodeSandbox implements Sandbox {
  /** The project's folder; its sibling `home` takes what tools leave behind. */
  readonly root: string;
  readonly #base: string;

  private constructor(base: string) {
    this.#base = base;
    this.root = join(base, "project");
  }

  static async open(files: FileTree = new Map()): Promise<NodeSandbox> {
    const sandbox = new NodeSandbox(await mkdtemp(join(tmpdir(), "tabwright-")));
    await mkdir(sandbox.root);
    await mkdir(join(sandbox.#base, "home"));
    for (const [path, bytes] of files) await sandbox.writeFile(path, bytes);
    return sandbox;
  }

  async close(): Promise<void> {
    await rm(this.#base, { recursive: true, force: true });
  }

  async readFile(path: string): Promise<Uint8Array> {
    const full = this.#at(path);
    try {
      return new Uint8Array(await readFile(full));
    } catch (cause) {
      throw new AppError("project/not-found", `There is no file ${path}. List the project's files to see what there is.`, { cause });
    }
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    await mkdir(dirname(this.#at(path)), { recursive: true });
    await writeFile(this.#at(path), bytes);
  }

  async remove(path: string): Promise<void> {
    await rm(this.#at(path), { recursive: true, force: true });
  }

  async list(): Promise<readonly string[]> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1));
    return paths.filter((path) => !isIgnoredPath(path)).sort();
  }

  run(command: string, options: RunOptions = {}, signal?: AbortSignal): Promise<RunResult> {
    const started = performance.now();
    const timeoutMs = options.timeoutMs ?? LIMITS.commandMs;
    return new Promise((resolve, reject) => {
      const child = spawn("sh", ["-c", command], { cwd: this.root, detached: true, env: { PATH: process.env["PATH"], HOME: join(this.#base, "home"), NO_COLOR: "1" } });
      let output = "";
      let end: RunResult["end"] = "exit";
      const kill = (why: RunResult["end"]): void => {
        if (end !== "exit" || child.pid === undefined) return;
        end = why;
        process.kill(-child.pid, "SIGKILL");
      };
      const timer = setTimeout(() => kill("timeout"), timeoutMs);
      const onAbort = (): void => kill("aborted");
      if (signal?.aborted) onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      const read = (chunk: string): void => {
        if (output.length + chunk.length > LIMITS.commandOutputBytes) return kill("output-limit");
        output += chunk;
        options.onOutput?.(chunk);
      };
      child.stdout.setEncoding("utf8").on("data", read);
      child.stderr.setEncoding("utf8").on("data", read);
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        resolve({ exitCode: end === "exit" ? code : 143, output, end, durationMs: performance.now() - started });
      });
    });
  }

  async snapshot(): Promise<FileTree> {
    const tree = new Map<string, Uint8Array>();
    for (const path of await this.list()) tree.set(path, await this.readFile(path));
    return tree;
  }

  async restore(tree: FileTree): Promise<void> {
    for (const path of await this.list()) if (!tree.has(path)) await this.remove(path);
    for (const [path, bytes] of tree) await this.writeFile(path, bytes);
  }

  #at(path: string): string {
    return join(this.root, normalizeFilePath(path));
  }
}
