// Arguments, environment, clocks, waiting, signals, chance.
import { ERRNO, rights, WasiError } from "./constants.ts";
import { sizeOfTexts } from "./guest.ts";
import type { Guest, Table } from "./instance.ts";

const CLOCK = { realtime: 0, monotonic: 1, processCpu: 2, threadCpu: 3 } as const;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const EVENT = { clock: 0, read: 1, write: 2 } as const;
const ABSOLUTE = 1;
/** The engine gives no more at once. */
const RANDOM_BYTES = 65_536;
/** By number; those that Node can raise. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM", 16: "SIGCHLD",
  17: "SIGCONT", 18: "SIGSTOP", 19: "SIGTSTP", 20: "SIGTTIN", 21: "SIGTTOU", 22: "SIGURG", 23: "SIGXCPU", 24: "SIGXFSZ", 25: "SIGVTALRM", 26: "SIGPROF", 27: "SIGWINCH", 28: "SIGIO", 29: "SIGPWR", 30: "SIGSYS",
};

// Kept before a program can replace the globals.
const { wait } = Atomics;
const bed = globalThis.crossOriginIsolated ? new Int32Array(new SharedArrayBuffer(4)) : undefined;

/** Without isolation a Worker cannot sleep: it is busy until then. */
function sleep(ms: number): void {
  const until = performance.now() + ms;
  if (bed) wait(bed, 0, 0, ms);
  else while (performance.now() < until);
}

export function systemFunctions(guest: Guest, args: readonly Uint8Array[], env: readonly Uint8Array[]): Table {
  const { tools } = guest;

  /** Nanoseconds. Throws EINVAL for a clock that there is not. */
  const now = (clock: number): bigint => {
    switch (clock) {
      case CLOCK.realtime:
        return BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
      case CLOCK.monotonic:
        return BigInt(Math.round(performance.now() * 1e6));
      case CLOCK.processCpu:
      case CLOCK.threadCpu:
        return BigInt(tools.cpuMicros()) * 1000n;
      default:
        throw new WasiError("EINVAL");
    }
  };
  const sizes = (texts: readonly Uint8Array[]) => (countAt: number, bytesAt: number): void => {
    guest.memory.view(countAt, 4);
    guest.memory.view(bytesAt, 4);
    guest.memory.putU32(countAt, texts.length);
    guest.memory.putU32(bytesAt, sizeOfTexts(texts));
  };

  return {
    args_get: ["ii", (pointers, at) => guest.memory.putTexts(args, pointers, at)],
    args_sizes_get: ["ii", sizes(args)],
    environ_get: ["ii", (pointers, at) => guest.memory.putTexts(env, pointers, at)],
    environ_sizes_get: ["ii", sizes(env)],
    clock_res_get: ["ii", (clock, at) => {
      guest.memory.view(at, 8);
      now(clock);
      guest.memory.putU64(at, 1n);
    }],
    clock_time_get: ["iIi", (clock, _precision, at) => {
      guest.memory.view(at, 8);
      guest.memory.putU64(at, now(clock));
    }],
    poll_oneoff: ["iiii", (subscriptionsAt, eventsAt, count, countAt) => {
      const asked = guest.memory.view(subscriptionsAt, count * SUBSCRIPTION_BYTES);
      const events = guest.memory.view(eventsAt, count * EVENT_BYTES);
      guest.memory.view(countAt, 4);
      if (count === 0) throw new WasiError("EINVAL");
      const ready: { readonly userdata: bigint; readonly type: number; readonly errno: number }[] = [];
      const clocks: { readonly userdata: bigint; readonly ns: bigint }[] = [];
      for (let at = 0; at < count * SUBSCRIPTION_BYTES; at += SUBSCRIPTION_BYTES) {
        const userdata = asked.getBigUint64(at, true);
        const type = asked.getUint8(at + 8);
        if (type === EVENT.clock) {
          const timeout = asked.getBigUint64(at + 24, true);
          const left = (asked.getUint16(at + 40, true) & ABSOLUTE) !== 0 ? timeout - now(asked.getUint32(at + 16, true)) : timeout;
          clocks.push({ userdata, ns: left > 0n ? left : 0n });
        } else if (type === EVENT.read || type === EVENT.write) {
          // What a descriptor here is asked for, it does at once, or waits in the call itself.
          guest.table.get(asked.getUint32(at + 16, true), rights("POLL_FD_READWRITE"));
          ready.push({ userdata, type, errno: 0 });
        } else throw new WasiError("EINVAL");
      }
      if (ready.length === 0) {
        const first = clocks.reduce((least, { ns }) => (ns < least ? ns : least), clocks[0]?.ns ?? 0n);
        sleep(Number(first) / 1e6);
        for (const { userdata, ns } of clocks) if (ns <= first) ready.push({ userdata, type: EVENT.clock, errno: 0 });
      }
      for (const [k, { userdata, type, errno }] of ready.entries()) {
        const at = k * EVENT_BYTES;
        events.setBigUint64(at, userdata, true);
        events.setUint16(at + 8, errno, true);
        events.setUint8(at + 10, type);
        events.setBigUint64(at + 16, 0n, true);
        events.setUint16(at + 24, 0, true);
      }
      guest.memory.putU32(countAt, ready.length);
    }],
    proc_raise: ["i", (signal) => {
      const name = SIGNALS[signal];
      if (name === undefined) throw new WasiError("ENOSYS");
      tools.raise(name);
    }],
    random_get: ["ii", (at, length) => {
      const target = guest.memory.bytes(at, length);
      for (let done = 0; done < length; done += RANDOM_BYTES) {
        const piece = new Uint8Array(Math.min(RANDOM_BYTES, length - done));
        tools.fillRandom(piece);
        target.set(piece, done);
      }
    }],
    sched_yield: ["", () => undefined],
  };
}

/** What a call threw, as its error number; what is no error of a call goes on to the program. */
export function errnoOf(thrown: unknown): number {
  if (thrown instanceof WasiError) return thrown.errno;
  const { code, syscall } = (thrown ?? {}) as { code?: unknown; syscall?: unknown };
  if (typeof code !== "string" || typeof syscall !== "string" || ERRNO[code] === undefined) throw thrown;
  return ERRNO[code];
}
