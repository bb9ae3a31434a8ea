// exec and execFile: a child whose output is kept for a callback or a promise. Both go through the functions that the module
// exports, so that a program that replaces one has replaced it here, too.
import { checkFunction, checkString, nodeError } from "../errors.ts";
import type { AnyFunction, Dict, Runtime, StreamLike } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { checkMaxBuffer, checkNulls, checkObject, checkTimeout, killSignalOf, ownOptions, type SpawnOptions } from "./child-options.ts";
import type { ChildProcess } from "./child-process.ts";
import { systemErrorName } from "./util.ts";

const MAX_BUFFER_BYTES = 1024 * 1024;

interface ExecFile {
  readonly file: unknown;
  readonly args: readonly unknown[];
  readonly options: SpawnOptions;
  readonly done: AnyFunction | undefined;
}

/** `(file, args?, options?, callback?)` in any of its shortened forms. */
export function execFileArguments(file: unknown, ...[first, second, third]: readonly unknown[]): ExecFile {
  const [args, given, done] = Array.isArray(first) ? [first as unknown[], second, third] : typeof first === "object" && first !== null ? [[], first, second] : typeof first === "function" ? [[], undefined, first] : [first ?? [], second, third];
  const callback = typeof given === "function" ? given : done;
  if (given !== undefined && given !== null && typeof given !== "function") checkObject(given, "options");
  if (callback !== undefined && callback !== null) checkFunction(callback, "callback");
  const options = ownOptions(typeof given === "function" ? undefined : given);
  if (options.argv0 !== undefined && options.argv0 !== null) checkString(options.argv0, "options.argv0");
  checkNulls(options.argv0, "options.argv0");
  return { file, args: args as unknown[], options, done: (callback ?? undefined) as AnyFunction | undefined };
}

/** `(command, options?, callback?)`. */
export function execArguments(command: unknown, ...[first, second]: readonly unknown[]): { readonly options: SpawnOptions; readonly done: unknown } {
  checkString(command, "command");
  checkNulls(command, "command");
  const options = ownOptions(typeof first === "function" ? undefined : first);
  return { options: Object.assign(options, { shell: typeof options.shell === "string" ? options.shell : true }), done: typeof first === "function" ? first : second };
}

type Name = "stdout" | "stderr";
type Stream = StreamLike & { setEncoding(encoding: string): void; destroy(): void; readonly readableEncoding: string | null };

/** Keeps what the child prints until it has ended, or went past a limit. */
function keep(runtime: Runtime, child: ChildProcess, { file, args, options, done }: ExecFile): void {
  const { maxBuffer = MAX_BUFFER_BYTES, timeout = 0 } = options;
  const encoding = "encoding" in options ? options.encoding : "utf8";
  const text = typeof encoding === "string" && encoding !== "buffer" && (Buffer.isEncoding as (name: string) => boolean)(encoding) ? encoding : undefined;
  const limit = maxBuffer ?? MAX_BUFFER_BYTES;
  const kept: Record<Name, (string | Uint8Array)[]> = { stdout: [], stderr: [] };
  let failure: (Error & Dict) | undefined;
  let killed = false;
  let ended = false;
  let timer: { close(): void } | undefined;
  const stream = (name: Name): Stream | null => child[name] as Stream | null;
  const whole = (name: Name): string | Uint8Array => (text !== undefined || stream(name)?.readableEncoding ? kept[name].join("") : Buffer.concat(kept[name] as Uint8Array[]));

  const end = (code?: unknown, signal?: unknown): void => {
    if (ended) return;
    ended = true;
    timer?.close();
    if (!done) return;
    const [stdout, stderr] = [whole("stdout"), whole("stderr")];
    if (!failure && code === 0 && signal === null) return void done(null, stdout, stderr);
    const shown = [file, ...args].join(" ");
    const number = code as number;
    failure ??= Object.assign(new Error(`Command failed: ${shown}\n${String(stderr)}`), { code: number < 0 ? systemErrorName(number) : code, killed: child.killed || killed, signal }) as unknown as Error & Dict;
    done(Object.assign(failure, { cmd: shown }), stdout, stderr);
  };
  const kill = (): void => {
    for (const name of ["stdout", "stderr"] as const) stream(name)?.destroy();
    killed = true;
    try {
      child.kill(options.killSignal ?? "SIGTERM");
    } catch (error) {
      failure ??= error as Error & Dict;
      end();
    }
  };

  for (const name of ["stdout", "stderr"] as const) {
    let length = 0;
    if (text !== undefined) stream(name)?.setEncoding(text);
    stream(name)?.on("data", (chunk) => {
      const data = chunk as string | Uint8Array;
      const readable = stream(name)?.readableEncoding;
      const added = readable ? (Buffer.byteLength as (text: string, encoding: string) => number)(data as string, readable) : data.length;
      length += added;
      kept[name].push(length > limit ? data.slice(0, limit - (length - added)) : data);
      if (length <= limit) return;
      failure = nodeError(RangeError, "ERR_CHILD_PROCESS_STDIO_MAXBUFFER", `${name} maxBuffer length exceeded`) as unknown as Error & Dict;
      kill();
    });
  }
  child.on("close", end);
  child.on("error", (error) => {
    failure = error as Error & Dict;
    for (const name of ["stdout", "stderr"] as const) stream(name)?.destroy();
    end();
  });
  if (timeout > 0) timer = (runtime.builtin("timers")["setTimeout"] as AnyFunction)(kill, timeout) as { close(): void };
}

const promised = (run: AnyFunction) => (...args: unknown[]): Promise<unknown> & { child?: unknown } => {
  const { promise, resolve, reject } = deferred();
  // What is refused is thrown at once.
  const child = run(...args, (error: (Error & Dict) | null, stdout: unknown, stderr: unknown) => (error === null ? resolve({ stdout, stderr }) : reject(Object.assign(error, { stdout, stderr }))));
  return Object.assign(promise, { child });
};

function deferred(): { promise: Promise<unknown>; resolve: (value: unknown) => void; reject: (error: Error) => void } {
  let [resolve, reject] = [(_value: unknown): void => undefined, (_error: Error): void => undefined];
  const promise = new Promise<unknown>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}

/** `exported`: the module, with `spawn` in it. */
export function createExec(runtime: Runtime, exported: Dict): Dict {
  const execFile = (...given: [unknown]): unknown => {
    const asked = execFileArguments(...given);
    const { options } = asked;
    checkTimeout(options);
    checkMaxBuffer(options);
    killSignalOf(options);
    const { cwd, env, uid, gid, shell, signal, argv0, windowsHide, windowsVerbatimArguments } = options;
    const child = (exported["spawn"] as AnyFunction)(asked.file, asked.args, { cwd, env, uid, gid, shell, signal, argv0, windowsHide, windowsVerbatimArguments }) as ChildProcess;
    keep(runtime, child, asked);
    return child;
  };
  const exec = (command: unknown, ...rest: unknown[]): unknown => {
    const { options, done } = execArguments(command, ...rest);
    return (exported["execFile"] as AnyFunction)(command, options, done);
  };
  for (const run of [exec, execFile]) Object.defineProperty(run, Symbol.for("nodejs.util.promisify.custom"), { value: promised(run as AnyFunction) });
  return { exec, execFile };
}
