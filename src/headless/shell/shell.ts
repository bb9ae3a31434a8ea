// One shell process: `sh -c script`, `sh file`, or a script on its input. Lists of simple commands run one by one and
// stream their output; anything with pipes, redirections or control flow runs in just-bash, whose output comes at its end.
import { Bash, defineCommand, getCommandNames } from "just-bash/browser";
import { FsError } from "../fs-error.ts";
import { commandName, joinPath, parentPath, resolvePath } from "../posix-path.ts";
import type { ProcessLink } from "../process-link.ts";
import type { StartMessage } from "../protocol.ts";
import { type FileOp, Vfs } from "../vfs.ts";
import { BashFs, latin1 } from "./bash-fs.ts";
import type { Children } from "./children.ts";
import { parseList, type SimpleCommand } from "./list.ts";
import { nodeScripts } from "./node-scripts.ts";

/** Commands that are processes of their own, beside what node_modules/.bin holds. */
const PROGRAMS = ["node", "npm", "npx", "jsh"];

type Env = Readonly<Record<string, string>>;

export class Shell {
  readonly #link: ProcessLink;
  readonly #children: Children;
  readonly #start: StartMessage;
  readonly #vfs: Vfs;
  readonly #fs: BashFs;
  #cwd: string;
  #env: Env;

  constructor(link: ProcessLink, children: Children, start: StartMessage) {
    this.#link = link;
    this.#children = children;
    this.#start = start;
    this.#cwd = start.cwd;
    this.#env = start.env;
    this.#vfs = new Vfs(start.files);
    // just-bash finds its commands as files; these stand in this replica only.
    for (const name of [...getCommandNames(), ...this.#programs()]) {
      const path = `/usr/bin/${name}`;
      if (!this.#vfs.exists(path)) this.#vfs.writeFile(path, new TextEncoder().encode("#!/bin/builtin\n"), { mode: 0o755 });
    }
    this.#vfs.onOp = (op) => link.post({ type: "file", op });
    this.#fs = new BashFs(this.#vfs);
  }

  /** A change that another process made. */
  followFile(op: FileOp): void {
    this.#vfs.follow(op);
  }

  /** Runs to the end and returns the exit code. With neither `-c` nor a file the script is the shell's input. */
  async run(): Promise<number> {
    const { argv } = this.#start;
    const at = argv.findIndex((arg) => !/^-[a-z]*$/.test(arg) || arg === "-c");
    const flags = argv.slice(0, at < 0 ? argv.length : at).join("");
    const setFlags = flags.includes("e") ? "set -e\n" : "";
    if (at >= 0 && (argv[at] === "-c" || flags.includes("c"))) {
      const from = argv[at] === "-c" ? at + 1 : at;
      return this.#script(setFlags + (argv[from] ?? ""), argv.slice(from + 2));
    }
    const file = at < 0 ? undefined : argv[at];
    if (file === undefined) return this.#script(new TextDecoder().decode(await this.#children.wholeInput()), []);
    try {
      const text = new TextDecoder().decode(this.#vfs.readFile(resolvePath(file, this.#cwd)));
      return await this.#script(setFlags + text, argv.slice(at + 1));
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      this.#write(2, `sh: 0: cannot open ${file}: ${error.code === "ENOENT" ? "No such file" : error.code}\n`);
      return error.code === "ENOENT" ? 127 : 126;
    }
  }

  async #script(script: string, args: readonly string[]): Promise<number> {
    const list = args.length === 0 ? parseList(script) : undefined;
    if (!list || list.length > 1 && list.some(({ words }) => ONLY_IN_BASH.has(words[0] ?? ""))) {
      return this.#bash(args.length === 0 ? script : `set -- ${args.map(quote).join(" ")}\n${script}`);
    }
    let code = 0;
    for (const command of list) {
      if ((command.after === "&&" && code !== 0) || (command.after === "||" && code === 0)) continue;
      const [name, status] = command.words;
      if (name === "exit") return status === undefined ? code : Number(status) & 0xff;
      code = await this.#simple(command);
    }
    return code;
  }

  async #simple({ words, env, stderrToStdout }: SimpleCommand): Promise<number> {
    const [first = "", ...args] = words;
    const command = commandName(first);
    if (command === "cd" && args.length <= 1) return this.#changeFolder(args[0] ?? this.#env["HOME"] ?? "/");
    if (!this.#isProgram(command)) return this.#bash(`${assignments(env)}${words.map(quote).join(" ")}${stderrToStdout ? " 2>&1" : ""}`);
    return this.#children.run({ command, args, cwd: this.#cwd, env: { ...this.#env, ...env }, terminal: this.#start.terminal }, "inherit", {
      output: (fd, data) => this.#link.write(stderrToStdout ? 1 : fd, data),
    });
  }

  #changeFolder(to: string): number {
    const path = resolvePath(to, this.#cwd);
    if (this.#vfs.find(path)?.kind !== "dir") {
      this.#write(2, `sh: cd: ${to}: No such file or directory\n`);
      return 1;
    }
    this.#env = { ...this.#env, OLDPWD: this.#cwd, PWD: path };
    this.#cwd = path;
    return 0;
  }

  /** Runs a script in just-bash and keeps what it did to the folder and the exported variables. */
  async #bash(script: string): Promise<number> {
    const bash = new Bash({
      fs: this.#fs,
      cwd: this.#cwd,
      env: { ...this.#env },
      // Its defence is against the commands it runs in its own realm; here every program is a Worker of its own.
      defenseInDepth: false,
      customCommands: this.#programs().map((name) =>
        defineCommand(name, async (args, context) => {
          const out: string[] = [];
          const errors: Uint8Array[] = [];
          const env = context.exportedEnv ?? Object.fromEntries(context.env);
          const input = Uint8Array.from(context.stdin as unknown as string, (c) => c.charCodeAt(0));
          const code = await this.#children.run({ command: name, args, cwd: context.cwd, env, terminal: null }, input, {
            output: (fd, data) => (fd === 1 ? out.push(latin1(data)) : errors.push(data)),
          });
          return { stdout: out.join(""), stdoutKind: "bytes", stderr: decode(errors), exitCode: code };
        }),
      ),
    });
    bash.registerTransformPlugin(nodeScripts(this.#vfs, this.#cwd));
    const result = await bash.exec(script, { cwd: this.#cwd, rawScript: true });
    const stdout = result.stdoutKind === "bytes" ? Uint8Array.from(result.stdout, (c) => c.charCodeAt(0)) : new TextEncoder().encode(result.stdout);
    this.#link.write(1, stdout);
    this.#write(2, result.stderr);
    const folder = result.env["PWD"];
    if (folder !== undefined && this.#vfs.find(folder)?.kind === "dir") this.#cwd = folder;
    return result.exitCode;
  }

  /** Names that start a process: ours, and the binaries of every node_modules at or above the folder. */
  #programs(): string[] {
    const names = new Set(PROGRAMS);
    for (let folder = this.#cwd; ; folder = parentPath(folder)) {
      const bin = this.#vfs.find(joinPath(folder, "node_modules/.bin"));
      if (bin?.kind === "dir") for (const name of bin.entries.keys()) names.add(name);
      if (folder === "/") break;
    }
    return [...names];
  }

  #isProgram(command: string): boolean {
    if (this.#programs().includes(command)) return true;
    return command.includes("/") && this.#vfs.find(resolvePath(command, this.#cwd))?.kind === "file";
  }

  #write(fd: 1 | 2, text: string): void {
    this.#link.write(fd, new TextEncoder().encode(text));
  }
}

/** Builtins whose effect must last to the next command: the whole list then runs in one just-bash. */
const ONLY_IN_BASH = new Set(
  ". : alias declare eval exec export getopts hash let local read readonly return set shift shopt source trap typeset umask unalias unset wait".split(" "),
);

function assignments(env: Env): string {
  return Object.entries(env).map(([name, value]) => `${name}=${quote(value)} `).join("");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}
