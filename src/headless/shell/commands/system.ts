// sleep, which, mktemp, realpath, uname and other small ones that ask the shell or the machine.
import { FsError } from "../../fs-error.ts";
import { joinPath, resolvePath } from "../../posix-path.ts";
import { BUILTINS } from "../builtins/index.ts";
import { reason } from "../redirect.ts";
import { isProgram, pathOf } from "../simple-command.ts";
import { saveHistory } from "../history.ts";
import type { ShellState } from "../state.ts";
import { sleep as pause } from "../task.ts";
import { COMMANDS, type OwnCommand } from "./index.ts";
import { duration } from "./runners.ts";

async function sleep(state: ShellState, args: readonly string[]): Promise<number> {
  const times = args.map(duration);
  const wrong = times.indexOf(undefined);
  if (args.length === 0 || wrong >= 0) {
    await state.write(2, args.length === 0 ? "sleep: missing operand\nTry 'sleep --help' for more information.\n" : `sleep: invalid time interval ‘${args[wrong]}’\nTry 'sleep --help' for more information.\n`);
    return 1;
  }
  await pause(times.reduce<number>((sum, ms) => sum + (ms ?? 0), 0), state.signal);
  for (let { held } = state; held; { held } = state) await held;
  return 0;
}

async function which(state: ShellState, args: readonly string[]): Promise<number> {
  let code = 0;
  for (const name of args.filter((arg) => !arg.startsWith("-"))) {
    const found = name.includes("/") ? (isProgram(state, name) ? name : undefined) : (pathOf(state, name) ?? (COMMANDS[name] || isProgram(state, name) || state.host.leaves.names.has(name) || ["echo", "printf", "pwd", "test", "[", "true", "false", "kill"].includes(name) ? `/usr/bin/${name}` : undefined));
    if (found === undefined) code = 1;
    else await state.write(1, `${found}\n`);
  }
  return code;
}

async function mktemp(state: ShellState, args: readonly string[]): Promise<number> {
  const { vfs } = state.host;
  const folder = args.some((arg) => /^-\w*d/.test(arg) || arg === "--directory");
  const inTmp = args.some((arg) => arg === "-t" || arg === "-p" || arg.startsWith("--tmpdir"));
  const template = args.find((arg, i) => !arg.startsWith("-") && args[i - 1] !== "-p");
  const base = template ?? "tmp.XXXXXXXXXX";
  const random = (): string => base.replace(/X{3,}$/, (marks) => Array.from(crypto.getRandomValues(new Uint8Array(marks.length)), (n) => "abcdefghijklmnopqrstuvwxyz0123456789"[n % 36]).join(""));
  if (!/X{3,}$/.test(base)) {
    await state.write(2, `mktemp: too few X's in template '${base}'\n`);
    return 1;
  }
  const shown = template !== undefined && !inTmp ? random() : joinPath(args[args.indexOf("-p") + 1] && args.includes("-p") ? (args[args.indexOf("-p") + 1] ?? "/tmp") : (state.vars.get("TMPDIR") ?? "/tmp"), random());
  try {
    if (folder) vfs.mkdir(resolvePath(shown, state.cwd), { mode: 0o700 });
    else vfs.writeFile(resolvePath(shown, state.cwd), new Uint8Array(), { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    await state.write(2, `mktemp: failed to create ${folder ? "directory" : "file"} via template '${base}': ${reason(error)}\n`);
    return 1;
  }
  await state.write(1, `${shown}\n`);
  return 0;
}

async function realpath(state: ShellState, args: readonly string[]): Promise<number> {
  let code = 0;
  for (const path of args.filter((arg) => !arg.startsWith("-"))) {
    try {
      await state.write(1, `${state.host.vfs.realpath(resolvePath(path, state.cwd))}\n`);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      await state.write(2, `realpath: ${path}: ${reason(error)}\n`);
      code = 1;
    }
  }
  return code;
}

const UNAME: Readonly<Record<string, string>> = { s: "Linux", n: "container", r: "6.0.0", v: "#1", m: "x86_64", p: "x86_64", i: "x86_64", o: "GNU/Linux" };

export const SYSTEM = {
  sleep,
  which,
  mktemp,
  realpath,
  async uname(state, args) {
    const letters = args.join("").replaceAll("-", "") || "s";
    await state.write(1, `${[..."snrvmo"].filter((c) => letters.includes(c) || letters.includes("a")).map((c) => UNAME[c]).join(" ")}\n`);
    return 0;
  },
  /** The one user that everything runs as, who is in the one group. */
  async id(state, args) {
    const letters = args.filter((arg) => arg.startsWith("-")).join("").replaceAll("-", "");
    const asked = [..."ugG"].filter((c) => letters.includes(c));
    const wrong = asked.length > 1 ? "cannot print \"only\" of more than one choice" : asked.length === 0 && /[nr]/.test(letters) ? "cannot print only names or real IDs in default format" : undefined;
    if (wrong !== undefined) await state.write(2, `id: ${wrong}\n`);
    else if (asked.length > 0) await state.write(1, `${letters.includes("n") ? "user" : "1000"}\n`);
    else await state.write(1, "uid=1000(user) gid=1000(user) groups=1000(user)\n");
    return wrong === undefined ? 0 : 1;
  },
  async history(state, [first = "", given = ""]) {
    const { history } = state.host;
    if (first === "-c" || first === "-d") {
      const at = Number(given) < 0 ? history.length + Number(given) : Number(given) - 1;
      if (first === "-d" && !(at in history)) {
        await state.write(2, `jsh: history: ${given}: history position out of range\n`);
        return 1;
      }
      if (first === "-c") history.splice(0);
      else history.splice(at, 1);
      saveHistory(state);
    } else {
      const from = /^\d+$/.test(first) ? Math.max(0, history.length - Number(first)) : 0;
      await state.write(1, history.slice(from).map((line, i) => `${String(from + i + 1).padStart(5)}  ${line}\n`).join(""));
    }
    return 0;
  },
  async nproc(state) {
    await state.write(1, `${globalThis.navigator?.hardwareConcurrency ?? 1}\n`);
    return 0;
  },
  async help(state) {
    await state.write(1, `Builtins: ${Object.keys(BUILTINS).sort().join(" ")}\nCommands: ${[...new Set([...Object.keys(COMMANDS), ...state.host.leaves.names])].sort().join(" ")}\nPrograms: node npm npx sh bash jsh, and what node_modules/.bin holds\n`);
    return 0;
  },
} satisfies Readonly<Record<string, OwnCommand>>;
