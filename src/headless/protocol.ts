// Every message between the kernel and a process (one Worker each): plain, structured-cloneable data, nothing else.
// Order is meaning: a process's file operations, output and exit travel on one port, so a parent that sees a child's
// exit has already been sent every file the child wrote. The kernel checks each message from a process as hostile.
import type { LibraryName } from "./libraries.ts";
import type { RegistryAnswer, RegistryQuestion } from "./registry/question.ts";
import type { PackedImage } from "./packed-image.ts";
import type { FileOp } from "./vfs-node.ts";

/** What runs in the Worker: our Node runtime, the shell, or npm's commands that install. Paths and scripts become one of the first two. */
export type Program = "node" | "sh" | "npm";

/** What a Worker may be made of or load: a program, or a library for the node programs that need it; `plans` is the kernel's own. */
export type ScriptName = Program | LibraryName | "plans";

/** Those whose default is to end the process, and, on the last line, those that stop it and let it go on. */
export type Signal =
  | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGILL" | "SIGTRAP" | "SIGABRT" | "SIGIOT" | "SIGBUS" | "SIGFPE" | "SIGKILL" | "SIGUSR1" | "SIGSEGV" | "SIGUSR2" | "SIGPIPE" | "SIGALRM" | "SIGTERM"
  | "SIGSTKFLT" | "SIGXCPU" | "SIGXFSZ" | "SIGVTALRM" | "SIGPROF" | "SIGIO" | "SIGPOLL" | "SIGPWR" | "SIGSYS"
  | "SIGCONT" | "SIGSTOP" | "SIGTSTP" | "SIGTTIN" | "SIGTTOU";

/** The conventional exit code of a process ended by a signal, as a shell reports it: 128 + number. */
export const SIGNAL_EXIT_CODES: Readonly<Record<Signal, number>> = {
  SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGILL: 132, SIGTRAP: 133, SIGABRT: 134, SIGIOT: 134, SIGBUS: 135, SIGFPE: 136, SIGKILL: 137, SIGUSR1: 138, SIGSEGV: 139, SIGUSR2: 140, SIGPIPE: 141,
  SIGALRM: 142, SIGTERM: 143, SIGSTKFLT: 144, SIGXCPU: 152, SIGXFSZ: 153, SIGVTALRM: 154, SIGPROF: 155, SIGIO: 157, SIGPOLL: 157, SIGPWR: 158, SIGSYS: 159,
  SIGCONT: 146, SIGSTOP: 147, SIGTSTP: 148, SIGTTIN: 149, SIGTTOU: 150,
};

/** Where a server listens: a TCP port of the container's one machine, or the path of a local socket. */
export type NetAddress = number | string;

/** Ephemeral ports are handed out by the processes themselves, so that `listen(0)` knows its port at once: each has a range of its own. */
export const FIRST_EPHEMERAL_PORT = 32_768;
export const PORTS_PER_PROCESS = 512;

/** So are the pids of children, so that `spawn` knows its child's at once. Below the first range are those the kernel gives. */
export const PIDS_PER_PROCESS = 1000;

/** Bytes that may be on their way over one direction of a connection before the reader has taken any. */
export const SOCKET_WINDOW_BYTES = 256 * 1024;

export interface Terminal {
  readonly cols: number;
  readonly rows: number;
  /** Which of a process's descriptors lead there, as bits: 1 input, 2 output, 4 errors. Absent: all. */
  readonly fds?: number;
}

/** The first message, sent once. Its Worker may have been waiting warm for a while. */
export interface StartMessage {
  readonly type: "start";
  readonly pid: number;
  readonly ppid: number;
  /** Arguments after the program's name: `["--test", "a.js"]` for `node --test a.js`, `["-c", "ls | wc"]` for a shell. */
  readonly argv: readonly string[];
  /** What it was called: `node`, or a path. */
  readonly argv0: string;
  /** Absolute and existing. */
  readonly cwd: string;
  /** Complete: PATH, HOME, PWD and the like are in it. */
  readonly env: Readonly<Record<string, string>>;
  readonly files: PackedImage;
  /** Null when neither input nor output is a terminal, as in a pipe. */
  readonly terminal: Terminal | null;
  /** False: end of input at once, as with `</dev/null`. */
  readonly stdin: boolean;
  /** Open from the start, beside the three. */
  readonly descriptors: readonly Descriptor[];
  /** A 32-bit number: while it is 1 the process does nothing that others could see (`ProcessLink`). Null where no memory is shared. */
  readonly stopped: SharedArrayBuffer | null;
  /** What is known of code that other processes have read (known-code.ts). Null where no memory is shared. */
  readonly knownCode: SharedArrayBuffer | null;
  /** Where to load libraries from (`importScripts`): those that the project seems to need. */
  readonly libraries: Readonly<Partial<Record<LibraryName, string>>>;
  /** True: `process.send` works and messages arrive (a child made by `fork`, or a test file's process). */
  readonly ipc: boolean;
  /** First of its PORTS_PER_PROCESS ephemeral ports. */
  readonly firstPort: number;
  /** First of the PIDS_PER_PROCESS that it may give to children. */
  readonly firstPid: number;
  /** It is a thread of its parent's process, whose `pid` it has. */
  readonly thread: ThreadStart | null;
}

/** A thread of `worker_threads`: to the kernel a child with messages, to its program a part of its parent. */
export interface ThreadStart {
  readonly id: number;
  /** Any value that can be cloned, ports in it included. */
  readonly data: unknown;
}

/** What travels on a connection, in both directions of both ends. `socket` is the number of the receiver's or sender's own end. */
export type SocketMessage =
  /** At most PROCESS_CHUNK_BYTES; the buffer is transferred. */
  | { readonly type: "socket-data"; readonly socket: number; readonly data: Uint8Array }
  /** The reader took this many bytes: as many more may be sent. */
  | { readonly type: "socket-ack"; readonly socket: number; readonly bytes: number }
  /** No more data follows from this side. */
  | { readonly type: "socket-end"; readonly socket: number }
  /** The connection is over for both; `reset` when the other side shall see ECONNRESET. */
  | { readonly type: "socket-close"; readonly socket: number; readonly reset: boolean };

/** The answer to who wants to connect. `code` is ECONNREFUSED, ENOENT or EMFILE. */
export type ConnectAnswer = { readonly type: "connected"; readonly socket: number } | { readonly type: "connect-error"; readonly socket: number; readonly code: string };

/** A descriptor above 2: a pipe to the parent, both ways, or a file. */
export interface Descriptor {
  readonly fd: number;
  readonly file?: OpenedFile;
}

/** A file that a process gets open. Where it is read and written is from then on its own. */
export interface OpenedFile {
  readonly path: string;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly append: boolean;
  readonly position: number;
}

/** Bytes that a pipe holds before its writer has to wait: what Linux takes of one on its local sockets. */
export const PIPE_BYTES = 219_264;

/** One of the container's processes, for `ps`. */
export interface ProcessInfo {
  readonly pid: number;
  /** 0: the page's. 1: its parent has ended. */
  readonly ppid: number;
  /** Its command line. */
  readonly words: readonly string[];
  /** It has one. */
  readonly terminal: boolean;
  readonly stopped: boolean;
  /** ms since 1970. */
  readonly startedMs: number;
}

export type ToProcess =
  | StartMessage
  | SocketMessage
  | ConnectAnswer
  | { readonly type: "listening"; readonly server: number }
  /** `code` is EADDRINUSE or EMFILE. */
  | { readonly type: "listen-error"; readonly server: number; readonly code: string }
  /** A client came; `socket` is a number below zero, which no process chooses. `port` is the client's own. */
  | { readonly type: "connection"; readonly server: number; readonly socket: number; readonly port: number }
  /** A change made by another process or by the page; `seq` counts those sent to this process, from 1. */
  | { readonly type: "file"; readonly op: FileOp; readonly seq: number }
  /** Null ends the input. Without a descriptor it is 0's. */
  | { readonly type: "stdin"; readonly data: Uint8Array | null; readonly fd?: number }
  /** Nobody reads any more what it writes there. */
  | { readonly type: "pipe-broken"; readonly fd: number }
  | { readonly type: "resize"; readonly terminal: Terminal }
  /** It is stopped: whoever waits for messages finds out by this one. */
  | { readonly type: "stop" }
  | { readonly type: "child-stopped"; readonly child: number }
  /** Only for signals the process said it handles; any other signal ends it (or stops it) without a message. */
  | { readonly type: "signal"; readonly signal: Signal }
  /** From the parent, when `ipc`. `null` means the parent disconnected. */
  | { readonly type: "message"; readonly message: unknown }
  /** To npm alone, by the number of its question. */
  | { readonly type: "registry-answer"; readonly request: number; readonly answer: RegistryAnswer }
  /** All that live, threads aside; in the order of the questions. */
  | { readonly type: "processes"; readonly list: readonly ProcessInfo[] }
  | { readonly type: "child-started"; readonly child: number; readonly pid: number }
  /** The child reads its input from now on; before, it may be kept from it. */
  | { readonly type: "child-stdin-wanted"; readonly child: number; readonly fd?: number }
  /** The child has read so much of what it was sent. */
  | { readonly type: "child-input-taken"; readonly child: number; readonly fd: number; readonly bytes: number }
  /** See `pipe-end`. */
  | { readonly type: "child-pipe-end"; readonly child: number; readonly fd: number; readonly broken: boolean }
  /** The child could not be started; no other message about it follows. `code` is ENOENT, EAGAIN, E2BIG or EACCES. */
  | { readonly type: "child-error"; readonly child: number; readonly code: string; readonly message: string }
  | { readonly type: "child-output"; readonly child: number; readonly fd: number; readonly data: Uint8Array }
  | { readonly type: "child-message"; readonly child: number; readonly message: unknown }
  /** The last message about a child, unless it is held: somebody goes on writing where it wrote. Exactly one of `code` and `signal` is null. */
  | { readonly type: "child-exit"; readonly child: number; readonly code: number | null; readonly signal: Signal | null; readonly held: boolean }
  /** Of a child that was held: it is no longer. */
  | { readonly type: "child-closed"; readonly child: number };

export interface SpawnRequest {
  /** `node`, `npm`, `npx`, `sh`, a name in `node_modules/.bin`, or a path. */
  readonly command: string;
  readonly args: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** The folder need not be there: it was its parent's. */
  readonly cwdGone?: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: boolean;
  readonly ipc: boolean;
  /** Passed on when the child reads or writes its parent's terminal (`stdio: "inherit"`). */
  readonly terminal: Terminal | null;
  readonly thread?: ThreadStart;
  /** It leads a group of its own. */
  readonly detached?: boolean;
  /** Beside its three. */
  readonly descriptors?: readonly Descriptor[];
  /** Where its output (1) and errors (2) go when it outlives its parent: to one of the parent's own, to the end of a file, or, null, nowhere. Absent: nobody reads them. */
  readonly leads?: readonly [output: Lead, errors: Lead];
  /** What the program shall believe it was called, if not by the command. */
  readonly argv0?: string;
}

export type Lead = 1 | 2 | string | null | undefined;

/** A child that its parent waits for without returning to its event loop. */
export interface SyncSpawnRequest {
  readonly request: SpawnRequest;
  /** Everything the child will ever read. */
  readonly input: Uint8Array;
  /** Whether its output is kept for the parent, goes where the parent's goes, or nowhere. */
  readonly stdout: SyncOutput;
  readonly stderr: SyncOutput;
  readonly timeoutMs: number | null;
  readonly killSignal: Signal;
  /** Of each kept stream; the child is killed past it. */
  readonly maxBytes: number;
}
export type SyncOutput = "keep" | "inherit" | "ignore";

/** What comes back through the shared memory, packed as MessagePack after SYNC_HEAD_BYTES. */
export interface SyncSpawnResult {
  readonly pid: number;
  readonly code: number | null;
  readonly signal: Signal | null;
  /** ENOENT and the like when it did not start, ETIMEDOUT or ENOBUFS when it was killed. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** Of its pipes above 2, all of them. */
  readonly others: readonly (readonly [fd: number, bytes: Uint8Array])[];
  /** All changes that the parent has not seen, in order; `file` messages up to `seq` are among them. */
  readonly ops: readonly FileOp[];
  readonly seq: number;
}
/** What a process that sleeps for input gets; null is its end. */
export interface SyncReadResult extends Pick<SyncSpawnResult, "ops" | "seq"> {
  /** At least one: all that it was sent and has not received as a message. Those messages come all the same. */
  readonly input: readonly (Uint8Array | null)[];
}
/** Of a signal that its sender waits for; null: it was sent. */
export interface SyncKillResult extends Pick<SyncSpawnResult, "ops" | "seq"> {
  readonly failure: "ESRCH" | "EPERM" | null;
}
/** Two 32-bit numbers: 1 when the answer is there, and its length. */
export const SYNC_HEAD_BYTES = 8;

/** The sender of a signal sleeps until it knows what became of it; then a null signal only asks. */
export interface KillWait {
  readonly seen: number;
  readonly memory: SharedArrayBuffer;
}

export type FromProcess =
  /** The process has applied all `file` messages up to this one. */
  | { readonly type: "files-seen"; readonly seq: number }
  /** The sender sleeps on the first number of `memory` until the answer is in it. */
  | { readonly type: "spawn-sync"; readonly spawn: SyncSpawnRequest; readonly seen: number; readonly memory: SharedArrayBuffer }
  /** As above, for input; `received` counts the `stdin` messages of this descriptor. */
  | { readonly type: "read-sync"; readonly fd: number; readonly received: number; readonly seen: number; readonly memory: SharedArrayBuffer }
  /** So many `stdin` messages have come: they need not be kept for a `read-sync`. */
  | { readonly type: "input-seen"; readonly fd: number; readonly received: number }
  /** Its program has read so much of it. */
  | { readonly type: "input-taken"; readonly fd: number; readonly bytes: number }
  /** The Worker's script has run and waits for `start`. */
  | { readonly type: "ready" }
  | SocketMessage
  /** `server` is a number the process chooses and does not use again. */
  | { readonly type: "listen"; readonly server: number; readonly address: NetAddress }
  | { readonly type: "unlisten"; readonly server: number }
  /** `socket` is a number above zero that the process chooses and does not use again; `port` is its own end's. */
  | { readonly type: "connect"; readonly socket: number; readonly address: NetAddress; readonly port: number }
  | { readonly type: "file"; readonly op: FileOp }
  /** Many changes that others see at once, or, if the process ends first, not at all. */
  | { readonly type: "files"; readonly ops: readonly FileOp[] }
  /** From npm alone, where no user code runs; from any other program it is refused. */
  | { readonly type: "registry"; readonly request: number; readonly question: RegistryQuestion }
  /** Whole bytes, any cut; at most PROCESS_CHUNK_BYTES each. The buffer is transferred. */
  | { readonly type: "output"; readonly fd: number; readonly data: Uint8Array }
  /** It writes no more there, and, if `broken`, reads no more either. */
  | { readonly type: "pipe-end"; readonly fd: number; readonly broken: boolean }
  /** The last message; the Worker is terminated on it. `code` 0-255. A shell that `stays` has ended for its parent, and runs until its jobs have, too: then it says so again. The bits say whether these may still write output (1) and errors (2). */
  | { readonly type: "exit"; readonly code: number; readonly stays?: number }
  /** From now on (`on`) the signal is delivered as a message instead of ending the process. SIGKILL never is. */
  | { readonly type: "handles-signal"; readonly signal: Signal; readonly on: boolean }
  /** To the parent, when `ipc`. */
  | { readonly type: "message"; readonly message: unknown }
  /** `child` is a number the process chooses and does not use again; `pid` is of its range. Without one the kernel chooses. */
  | { readonly type: "spawn"; readonly child: number; readonly request: SpawnRequest; readonly pid?: number }
  /** Whether its terminal hands keys on as they are typed, or, as at first, in lines, with Ctrl+C a signal. */
  | { readonly type: "terminal-mode"; readonly raw: boolean }
  /** It reads its input: a shell that gave it its own passes it on from now on. */
  | { readonly type: "stdin-wanted"; readonly fd?: number }
  | { readonly type: "child-stdin"; readonly child: number; readonly data: Uint8Array | null; readonly fd?: number }
  /** It reads no more what the child writes there. */
  | { readonly type: "child-broken"; readonly child: number; readonly fd: number }
  | { readonly type: "child-message"; readonly child: number; readonly message: unknown }
  | { readonly type: "child-kill"; readonly child: number; readonly signal: Signal }
  | { readonly type: "processes" }
  /** A process may signal itself, its descendants and its siblings; a shell, any. Others are ignored. Below 0: it and all that it started; 0: the sender and those. */
  | { readonly type: "kill"; readonly pid: number; readonly signal: Signal | null; readonly wait?: KillWait };

/** Largest `output` message; a writer splits above it. */
export const PROCESS_CHUNK_BYTES = 64 * 1024;
