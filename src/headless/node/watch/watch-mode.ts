// `node --watch`: the program as a child process that starts again whenever a file that it has loaded changes, or with
// --watch-path whatever lies under those paths.
import { inspect } from "node-inspect-extracted";
import { startTimer } from "../builtins/timers.ts";
import { isTerminal } from "../builtins/tty.ts";
import { resolvePath } from "../../posix-path.ts";
import type { AnyFunction, Emitter, Runtime } from "../runtime.ts";
import { ChangedFiles, loadedFiles, reporting } from "./changed-files.ts";

type Child = Emitter & { kill(signal: string): void };

const SLOW_END_MS = 500;

/** The flags of the command line without those that are this mode's own. */
function flagsOfChild(execArgv: readonly string[]): string[] {
  return execArgv.filter((flag, at) => !flag.startsWith("--watch") && execArgv[at - 1] !== "--watch-path");
}

/** Runs until a signal ends it. Throws ENOENT for a path to be watched that is not there. */
export function runWatched(runtime: Runtime): undefined {
  const { process, options } = runtime;
  const { spawn } = runtime.builtin("child_process") as { spawn(command: string, args: readonly string[], options: object): Child };
  const words = process.argv.slice(1);
  const name = inspect(words.join(" "));
  const isColored = isTerminal(runtime.host, 2) && process.env["NO_COLOR"] === undefined;
  const say = (color: number, text: string): void => void process.stdout.write(isColored ? `\u001b[${color}m${text} ${name}\u001b[39m\n` : `${text} ${name}\n`);
  const clear = (): void => {
    if (isColored && !options.watchPreservesOutput) process.stdout.write("\u001bc");
  };
  let child: Child | undefined;
  let restarting = false;

  const files = new ChangedFiles(runtime, () => void restart());
  if (options.watchPaths.length === 0) files.watchAdded();
  for (const path of options.watchPaths) files.watchFolder(resolvePath(path, runtime.cwd));

  function start(): void {
    const stdio = ["inherit", "inherit", "inherit", ...(options.watchPaths.length === 0 ? ["ipc"] : [])];
    const started = spawn(process.execPath as string, [...flagsOfChild(process.execArgv), ...words], { stdio, env: { ...process.env, ...reporting } });
    child = started;
    started.on("message", (message: unknown) => {
      for (const file of loadedFiles(message)) files.add(file, name);
    });
    started.on("exit", (code: unknown) => {
      if (child !== started) return;
      child = undefined;
      if (code === 0) say(34, "Completed running");
      else say(31, "Failed running");
    });
  }

  /** Resolves with the exit code when it has ended; at once when there is none. */
  function stop(signal: string): Promise<number | null | undefined> {
    const running = child;
    child = undefined;
    return new Promise((resolve) => {
      if (!running) return resolve(undefined);
      running.on("exit", resolve as AnyFunction);
      running.kill(signal);
    });
  }

  async function restart(): Promise<void> {
    if (restarting) return;
    restarting = true;
    clear();
    say(32, "Restarting");
    files.forget(name);
    let isSlow = false;
    const timer = startTimer(runtime, () => {
      isSlow = true;
      process.stdout.write("Waiting for graceful termination...\n");
    }, SLOW_END_MS);
    await stop("SIGTERM");
    timer.close();
    if (isSlow) {
      clear();
      say(32, "Gracefully restarted");
    }
    start();
    restarting = false;
  }

  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.on(signal, async () => {
      const code = await stop(signal);
      runtime.loop.post(() => runtime.exit(code ?? 0));
    });
  }
  start();
  return undefined;
}
