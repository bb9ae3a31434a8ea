// One Node process from its command line to its exit code. Everything a program can do to end is decided here.
import { Buffer, createBuffer } from "./builtins/buffer.ts";
import { makeBuiltin } from "./builtins/index.ts";
import { finishPending } from "./builtins/fs-pending.ts";
import { createProcess } from "./builtins/process.ts";
import { printWarnings } from "./builtins/process-warnings.ts";
import { recordListeners } from "./builtins/event-target.ts";
import { attachStdio } from "./builtins/stdio.ts";
import { openPipes } from "./later/pipes.ts";
import { createTimers } from "./builtins/timers.ts";
import { webClasses } from "./builtins/web-classes.ts";
import { webCrypto } from "./builtins/web-crypto.ts";
import { wordAborts } from "./abort-signals.ts";
import { activate } from "./active.ts";
import { gc } from "./collect-garbage.ts";
import { addExceptionOptions } from "./dom-exception.ts";
import { limitMemory } from "./memory-limits.ts";
import { ExitSignal, checkFunction } from "./errors.ts";
import { EventLoop } from "./event-loop.ts";
import { wordJsonErrors } from "./json-parse.ts";
import { guardFunctionCode } from "./loader/function-code.ts";
import { createFetch } from "./http/fetch.ts";
import { WebRequest, WebResponse } from "./http/web-messages.ts";
import { SourceMapFiles } from "./loader/source-map-files.ts";
import { type Loader, createLoader } from "./loader/index.ts";
import { startProgram } from "./program.ts";
import { structuredClone } from "./structured-clone.ts";
import { trackNatives } from "./natives.ts";
import { widenApply } from "./wide-apply.ts";
import { hideWhatNodeLacks } from "./newer-than-node.ts";
import { addStreamFrom, refuseFinished } from "./web-streams.ts";
import { parseOptions } from "./options.ts";
import { ownRealm, sharedRealm } from "./realm.ts";
import { Rejections } from "./rejections.ts";
import { describeFatal } from "./report.ts";
import { SIGNAL_EXIT_CODES, type Signal } from "../protocol.ts";
import type { AnyFunction, Dict, Input, NodeHost, Pipe, ProcessObject, Runtime, StreamLike } from "./runtime.ts";
import { SourceTable } from "./stack.ts";
import { fromParent, startThread } from "./threads/thread.ts";
import { reportThreadError } from "./threads/thread-errors.ts";
import { isCaptured } from "./uncaught.ts";

export interface NodeProcess {
  readonly exitCode: Promise<number>;
  /** Input from outside; null ends it. */
  stdin(data: Uint8Array | null, fd?: number): void;
  /** Nobody reads any more what is written there. */
  pipeBroken(fd: number): void;
  /** A message of the parent; null: it has disconnected. */
  message(message: unknown): void;
  signal(signal: string): void;
  resize(cols: number, rows: number): void;
  /** Ends it from outside without running anything more. */
  terminate(code: number): void;
}

/** The program's own takes its place on the global object. */
const nativeQueueMicrotask = globalThis.queueMicrotask.bind(globalThis);

const UNSETTLED_AWAIT = 13;
const HANDLER_THREW = 7;
const NOBODY_TAKES_ERRORS = 6;

export function startNodeProcess(host: NodeHost): NodeProcess {
  return new RunningProcess(host);
}

class RunningProcess implements Runtime, NodeProcess {
  readonly host: NodeHost;
  readonly vfs: NodeHost["vfs"];
  readonly loop = new EventLoop();
  readonly sources = new SourceTable();
  readonly options;
  readonly exitCode: Promise<number>;
  readonly loader: Loader;
  readonly process: ProcessObject;
  readonly input: Input;
  readonly pipes = new Map<number, Pipe>();
  readonly broken = new Set<number>();
  readonly realm;
  cwd: string;
  umask = 0o022;
  receive: (message: unknown) => void = () => undefined;
  ended = false;
  readonly #rejections = new Rejections(this);
  readonly #builtins = new Map<string, Dict>();
  readonly #cleanups: (() => void)[] = [];
  #finish: (code: number) => void = () => undefined;
  /** The main program's promise has not settled. */
  #mainPending = false;
  #exiting = false;
  #callbacksAtBeforeExit = -1;

  constructor(host: NodeHost) {
    this.host = host;
    this.vfs = host.vfs;
    this.cwd = host.cwd;
    this.options = parseOptions(host.argv, host.env["NODE_OPTIONS"]);
    this.exitCode = new Promise((resolve) => (this.#finish = resolve));
    this.loop.onError = (error, place) => {
      this.sources.setThrown(error, place);
      this.fatal(error, "uncaughtException");
    };
    this.loop.onIdle = () => this.#idle();
    this.sources.maps = new SourceMapFiles(this.vfs, this.options.sourceMaps);
    this.#cleanups.push(activate(this), this.sources.install());
    this.process = createProcess(this);
    this.loader = createLoader(this);
    this.input = attachStdio(this);
    if (host.descriptors && host.descriptors.length > 0) openPipes(this, host.descriptors);
    const globals = this.#globals();
    this.realm = host.ownsRealm ? ownRealm(globals) : sharedRealm(globals);
    const { realm } = this;
    this.#cleanups.push(() => realm.close());
    if (host.ownsRealm) {
      limitMemory(this);
      trackNatives(this.loop);
      widenApply();
      recordListeners();
      guardFunctionCode(this);
      wordAborts(this);
      addExceptionOptions(realm.global);
      addStreamFrom();
      refuseFinished();
      wordJsonErrors();
      hideWhatNodeLacks(realm.global, globals);
      if (this.options.exposeGc) Object.defineProperty(realm.global, "gc", { value: gc, writable: true, configurable: false, enumerable: true });
    }
    for (const name of this.options.hiddenGlobals) Reflect.deleteProperty(realm.global, name);
    printWarnings(this);
    this.loop.run(() => this.#start());
  }

  builtin(name: string): Dict {
    const known = this.#builtins.get(name);
    if (known) return known;
    const made = makeBuiltin(this, name);
    this.#builtins.set(name, made);
    return made;
  }

  atEnd(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  complain(text: string): void {
    if (!this.ended) this.host.write(2, Buffer.from(text, "utf8"));
  }

  exit(code?: number | string | null): never {
    if (code !== undefined) this.process.exitCode = code;
    const exitCode = (): number => Number(this.process.exitCode ?? 0);
    if (!this.#exiting) {
      this.#exiting = true;
      this.#emitExit(exitCode());
    }
    // A program may have put its own in its place, which returns.
    return (this.process["reallyExit"] as AnyFunction)(exitCode()) as never;
  }

  end(code: number): never {
    this.#end(code);
    throw new ExitSignal(code);
  }

  fatal(error: unknown, origin: "uncaughtException" | "unhandledRejection"): void {
    if (error instanceof ExitSignal || this.ended) return;
    const take = this.process["_fatalException"];
    if (typeof take === "function") return void (take as AnyFunction)(error, origin === "unhandledRejection");
    this.complain(describeFatal(this, error));
    this.#end(NOBODY_TAKES_ERRORS);
  }

  uncaught(error: unknown, origin: "uncaughtException" | "unhandledRejection"): boolean {
    const { process } = this;
    try {
      process.emit("uncaughtExceptionMonitor", error, origin);
      if (!this.#exiting && (isCaptured(this, error) || process.emit("uncaughtException", error, origin))) return true;
    } catch (failure) {
      if (failure instanceof ExitSignal) return false;
      if (this.host.thread) this.#die(failure, 1);
      else {
        // The process is beyond its listeners: none of `exit` is asked either.
        this.complain(describeFatal(this, failure));
        this.#end(HANDLER_THREW);
      }
      return false;
    }
    this.#die(error, 1);
    return false;
  }

  unhandled(reason: unknown, promise: object): void {
    if (!(reason instanceof ExitSignal) && !this.ended) this.#rejections.unhandled(reason, promise);
  }

  handledLate(promise: object): void {
    if (!this.ended) this.#rejections.handled(promise);
  }

  stdin(data: Uint8Array | null, fd = 0): void {
    if (!this.ended) this.loop.run(() => (fd === 0 ? this.input : this.pipes.get(fd))?.deliver(data));
  }

  pipeBroken(fd: number): void {
    this.broken.add(fd);
  }

  message(message: unknown): void {
    if (this.ended) return;
    if (this.host.thread) {
      this.loop.run(() => fromParent(this, message));
      return;
    }
    this.loop.run(() => this.receive(message));
  }

  signal(signal: string): void {
    if (!this.ended) this.loop.run(() => void this.process.emit(signal, signal, (SIGNAL_EXIT_CODES[signal as Signal] ?? 128) - 128));
  }

  resize(cols: number, rows: number): void {
    if (this.ended) return;
    for (const stream of [this.process.stdout, this.process.stderr] as StreamLike[]) {
      if (stream.isTTY !== true) continue;
      Object.assign(stream, { columns: cols, rows });
      this.loop.run(() => void stream.emit("resize"));
    }
    this.loop.run(() => void this.process.emit("SIGWINCH", "SIGWINCH", 28));
  }

  terminate(code: number): void {
    this.#end(code);
  }

  #start(): void {
    const main = startProgram(this);
    if (!main) return;
    this.#mainPending = true;
    main.then(
      () => {
        this.#mainPending = false;
      },
      (error: unknown) => {
        this.#mainPending = false;
        this.sources.setRejected(error);
        this.loop.run(() => this.fatal(error, "uncaughtException"));
      },
    );
  }

  #idle(): void {
    if (this.loop.callbacks === this.#callbacksAtBeforeExit) {
      this.loop.run(() => this.#exitWhenIdle());
      return;
    }
    this.loop.run(() => void this.process.emit("beforeExit", Number(this.process.exitCode ?? 0)));
    // Idle again with nothing run in between means the end; otherwise `beforeExit` comes again, as in Node.
    this.#callbacksAtBeforeExit = this.loop.callbacks;
  }

  #exitWhenIdle(): void {
    this.#exiting = true;
    this.#emitExit(Number(this.process.exitCode ?? 0));
    this.#end(Number(this.process.exitCode ?? (this.#mainPending ? UNSETTLED_AWAIT : 0)));
  }

  #emitExit(code: number, isDying = false): void {
    finishPending(this);
    this.process["_exiting"] = true;
    try {
      this.process.emit("exit", code);
    } catch (error) {
      if (error instanceof ExitSignal || isDying) return;
      this.complain(describeFatal(this, error));
      this.process.exitCode = 1;
    } finally {
      finishPending(this);
    }
  }

  #die(error: unknown, code: number): void {
    // A thread tells its parent, which decides what it is.
    if (this.host.thread) reportThreadError(this, error);
    if (!this.#exiting) {
      this.#exiting = true;
      this.process.exitCode = code;
      this.#emitExit(code, !this.host.thread);
    }
    // What listeners of `exit` write comes first, and what they throw is lost.
    if (!this.host.thread) this.complain(describeFatal(this, error));
    this.#end(Number(this.process.exitCode ?? code));
  }

  #end(code: number): void {
    if (this.ended) return;
    this.ended = true;
    this.loop.stop();
    for (const cleanup of this.#cleanups.splice(0).reverse()) {
      try {
        cleanup();
      } catch {
        // What it puts back may be frozen by now (SES does that): no reason for a process not to end.
      }
    }
    // A terminal that was read key by key is handed back as it was.
    if (this.process.stdin["isRaw" as keyof StreamLike]) this.host.rawMode?.(false);
    this.host.exit(code & 0xff);
    this.#finish(code & 0xff);
  }

  #globals(): Dict {
    const timers = createTimers(this);
    const { promises: _promises, ...timerFunctions } = timers;
    return {
      process: this.process, console: this.builtin("console"), Buffer: createBuffer()["Buffer"], ...timerFunctions,
      fetch: createFetch(this), Request: WebRequest, Response: WebResponse,
      ...webCrypto(this), ...webClasses, structuredClone, ...(this.host.ownsRealm ? startThread(this)?.globals : {}),
      queueMicrotask: (task: unknown) => {
        checkFunction(task, "callback");
        const watched = this.loop.watch?.begin("Microtask", { callback: task });
        const bound = this.loop.bind(task as () => void);
        nativeQueueMicrotask(() => this.loop.attempt(() => {
          if (watched) watched.run(bound);
          else bound();
        }));
        if (watched) nativeQueueMicrotask(() => watched.end());
      },
    };
  }
}
