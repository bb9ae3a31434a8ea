// One project, installed twice: by this container's npm (its commands over an in-memory file system, its requests made by
// the registry desk itself) and by the npm of this machine, against the same registry. What both leave is compared.
import { execFile } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runNpm } from "../../src/headless/npm/commands.ts";
import { NpmError } from "../../src/headless/npm/error.ts";
import type { Host } from "../../src/headless/npm/host.ts";
import { answerFetched } from "../../src/headless/registry/desk.ts";
import { checkQuestion, type RegistryQuestion } from "../../src/headless/registry/question.ts";
import { Vfs } from "../../src/headless/vfs.ts";
import { joinPath, parentPath } from "../../src/headless/posix-path.ts";

export const PROJECT = "/home/project";
export type Files = Readonly<Record<string, string | object>>;

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The container's npm in this process. */
export class NpmProject {
  readonly vfs = new Vfs();
  readonly registry: string;
  commits = 0;
  readonly #command: typeof runNpm;

  /** `command`: what its words are given to. */
  constructor(registry: string, files: Files, command: typeof runNpm = runNpm) {
    this.registry = registry;
    this.#command = command;
    this.vfs.mkdir(PROJECT, { recursive: true });
    this.write(files);
  }

  write(files: Files): void {
    for (const [path, contents] of Object.entries(files)) {
      const full = joinPath(PROJECT, path);
      this.vfs.mkdir(parentPath(full), { recursive: true });
      this.vfs.writeFile(full, new TextEncoder().encode(textOf(contents)));
    }
  }

  read(path: string): string {
    return new TextDecoder().decode(this.vfs.readFile(joinPath(PROJECT, path)));
  }

  json(path: string): Record<string, unknown> {
    return JSON.parse(this.read(path)) as Record<string, unknown>;
  }

  exists(path: string): boolean {
    return this.vfs.exists(joinPath(PROJECT, path));
  }

  /** As one process: what was not committed when it ends is gone. */
  async npm(...argv: readonly string[]): Promise<Outcome> {
    let out = "";
    let err = "";
    const replica = this.vfs.clone();
    const changes: Parameters<Vfs["apply"]>[0][] = [];
    replica.onOp = (op) => void changes.push(op);
    const host: Host = {
      vfs: replica,
      cwd: PROJECT,
      env: { HOME: "/home", PATH: "/usr/bin", npm_config_registry: this.registry },
      terminal: false,
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      commit: () => {
        this.commits++;
        for (const op of changes.splice(0)) this.vfs.apply(op);
        return Promise.resolve();
      },
      run: (command, args) => {
        out += `[ran ${[command, ...args].join(" ")}]\n`;
        return Promise.resolve(0);
      },
      registry: {
        document: async (registry, name) => JSON.parse(new TextDecoder().decode(await ask({ kind: "document", registry, name, mode: "online" }))) as unknown,
        tarball: (registry, url, integrity) => ask({ kind: "tarball", registry, url, integrity, mode: "online" }),
      },
    };
    const code = await this.#command(host, argv);
    return { code, out, err };
  }

  /** Path → what is there, for everything below the project. */
  tree(): Record<string, string> {
    const found: Record<string, string> = {};
    const visit = (folder: string, below: string): void => {
      for (const [name, node] of this.vfs.dir(folder).entries) {
        const here = below === "" ? name : `${below}/${name}`;
        if (node.kind === "dir") visit(joinPath(folder, name), here);
        else found[here] = node.kind === "link" ? `-> ${node.target}` : `${node.mode.toString(8)} ${node.data.length}`;
      }
    };
    visit(PROJECT, "");
    return found;
  }
}

async function ask(asked: RegistryQuestion): Promise<Uint8Array> {
  const question = checkQuestion(asked);
  if (!question) throw new NpmError("EREFUSED", `refused: ${JSON.stringify(asked)}`);
  const answer = await answerFetched(question, new AbortController().signal);
  if (answer.ok) return answer.bytes;
  throw new NpmError(answer.code, answer.message);
}

const textOf = (contents: string | object): string => (typeof contents === "string" ? contents : `${JSON.stringify(contents, null, 2)}\n`);

/** npm of this machine in a folder of its own. */
export class RealNpm {
  readonly folder: string;
  readonly #registry: string;

  private constructor(folder: string, registry: string) {
    this.folder = folder;
    this.#registry = registry;
  }

  static async open(registry: string, files: Files): Promise<RealNpm> {
    const project = new RealNpm(join(await mkdtemp(join(tmpdir(), "npm-")), "project"), registry);
    await mkdir(project.folder);
    await project.write(files);
    return project;
  }

  async write(files: Files): Promise<void> {
    for (const [path, contents] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, path)), { recursive: true });
      await writeFile(join(this.folder, path), textOf(contents));
    }
  }

  npm(...argv: readonly string[]): Promise<Outcome> {
    const args = [...argv, "--registry", this.#registry, "--cache", join(this.folder, "../cache"), "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier", "--userconfig", join(this.folder, "../no-npmrc"), "--globalconfig", join(this.folder, "../no-global-npmrc")];
    return new Promise((resolve) => {
      execFile("npm", args, { cwd: this.folder, maxBuffer: 1e8, env: { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))), NO_COLOR: "1" } }, (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }));
    });
  }

  read(path: string): Promise<string> {
    return readFile(join(this.folder, path), "utf8");
  }

  async tree(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const visit = async (folder: string, below: string): Promise<void> => {
      for (const name of await readdir(folder)) {
        const here = below === "" ? name : `${below}/${name}`;
        const path = join(folder, name);
        const stat = await lstat(path);
        if (stat.isDirectory()) await visit(path, here);
        else found[here] = stat.isSymbolicLink() ? `-> ${await readlink(path)}` : `${(stat.mode & 0o7777).toString(8)} ${stat.size}`;
      }
    };
    await visit(this.folder, "");
    return found;
  }

  close(): Promise<void> {
    return rm(dirname(this.folder), { recursive: true, force: true });
  }
}
