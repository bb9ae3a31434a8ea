// The import object of one WASI instance: each function checks its arguments as Node's does, and ends with an error number.
import type { Dict } from "../../node/runtime.ts";
import { ERRNO } from "./constants.ts";
import { DescriptorTable } from "./descriptors.ts";
import { fileFunctions } from "./file-functions.ts";
import { encodeText, GuestMemory } from "./guest.ts";
import { pathFunctions } from "./path-functions.ts";
import { errnoOf, systemFunctions } from "./system-functions.ts";
import type { WasiTools } from "./tools.ts";

/** Kinds of arguments, `i` a number of 32 bits, `I` and `J` one of 64, and the function. */
export type Table = Readonly<Record<string, readonly [kinds: string, run: (...args: never[]) => void]>>;

/** What the functions share. */
export interface Guest {
  readonly tools: WasiTools;
  readonly table: DescriptorTable;
  /** Throws ERR_WASI_NOT_STARTED before there is one. */
  readonly memory: GuestMemory;
}

/** In the order that Node lists them in. */
const ORDER =
  "args_get args_sizes_get clock_res_get clock_time_get environ_get environ_sizes_get fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write " +
  "path_create_directory path_filestat_get path_filestat_set_times path_link path_open path_readlink path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit proc_raise random_get sched_yield sock_accept sock_recv sock_send sock_shutdown";

const isKind: Readonly<Record<string, (value: unknown) => boolean>> = {
  i: (value) => typeof value === "number" && value >>> 0 === value,
  I: (value) => typeof value === "bigint",
  J: (value) => typeof value === "bigint",
};

/** Those that find files by name: what they find must be what is there now. */
const LOOKS = /^path_|^fd_readdir$/;
/** Between two questions to the kernel: a build looks for thousands of files. */
const CATCH_UP_MS = 5;

export interface InstanceOptions {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly preopens: readonly (readonly [string, string])[];
  readonly stdio: readonly number[];
  /** What `proc_exit` does. Does not return. */
  readonly exit: (code: number) => void;
}

/** The functions, and what gives them the memory. Throws `UVWASI_…` errors for descriptors and folders that are not there. */
export function makeInstance(tools: WasiTools, options: InstanceOptions): { readonly imports: Dict; setMemory(memory: unknown): void } {
  let memory: GuestMemory | undefined;
  const notStarted = (): Error => tools.nodeError(Error, "ERR_WASI_NOT_STARTED", "wasi.start() has not been called");
  const guest: Guest = {
    tools,
    table: openTable(tools, options),
    get memory() {
      if (!memory) throw notStarted();
      return memory;
    },
  };
  const texts = (list: readonly string[]): Uint8Array[] => list.map(encodeText);
  const exit: Table = { proc_exit: ["i", (code: number) => options.exit(code)] };
  const all: Table = { ...systemFunctions(guest, texts(options.args), texts(options.env)), ...fileFunctions(guest), ...pathFunctions(guest), ...exit };
  let caughtUpMs = -Infinity;
  const catchUp = (): void => {
    if (performance.now() - caughtUpMs < CATCH_UP_MS) return;
    tools.catchUp?.();
    caughtUpMs = performance.now();
  };
  class WASI {}
  const imports = new WASI() as Dict;
  for (const name of ORDER.split(" ")) {
    const [kinds, run] = all[name] as [string, (...args: unknown[]) => void];
    const looks = tools.catchUp !== undefined && LOOKS.test(name);
    const call = (...args: unknown[]): number => {
      if (args.length !== kinds.length) return ERRNO["EINVAL"] as number;
      void guest.memory;
      for (const [k, kind] of [...kinds].entries()) if (!isKind[kind]?.(args[k])) return ERRNO["EINVAL"] as number;
      // The engine gives a number of 64 bits with its sign.
      const given = args.map((value, k) => (kinds[k] === "I" ? BigInt.asUintN(64, value as bigint) : value));
      try {
        if (looks) catchUp();
        run(...given);
        return 0;
      } catch (thrown) {
        return errnoOf(thrown);
      }
    };
    imports[name] = Object.defineProperty(call, "name", { value: name === "proc_exit" ? "bound wasiReturnOnProcExit" : `bound ${name}` });
  }
  return {
    imports,
    setMemory: Object.defineProperty((given: unknown) => {
      if (!(given instanceof WebAssembly.Memory)) throw tools.nodeError(TypeError, "ERR_INVALID_ARG_TYPE", '"instance.exports.memory" property must be a WebAssembly.Memory object');
      memory = new GuestMemory(given);
    }, "name", { value: "bound _setMemory" }),
  };
}

function openTable(tools: WasiTools, { stdio, preopens }: InstanceOptions): DescriptorTable {
  try {
    return new DescriptorTable(tools, stdio, preopens);
  } catch (thrown) {
    const errno = errnoOf(thrown);
    const code = `UVWASI_${Object.keys(ERRNO)[errno] as string}`;
    throw Object.assign(new Error(`${code}, uvwasi_init`), { errno, code, syscall: "uvwasi_init" });
  }
}
