// What a thread without Node's globals runs: one program as one process, its world given as plain data.
import { type Libraries, takeLibrary } from "../../src/headless/libraries.ts";
import { startNodeProcess } from "../../src/headless/node/process-run.ts";
import { Vfs } from "../../src/headless/vfs.ts";

export interface RealmStart {
  readonly files: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Scripts of libraries, by name. */
  readonly libraries: Readonly<Partial<Record<keyof Libraries, string>>>;
  readonly runScript: (source: string) => void;
  readonly write: (fd: 1 | 2, bytes: Uint8Array) => void;
  readonly exit: (code: number) => void;
}

const ignore = (): void => undefined;

function start(given: RealmStart): void {
  const taken: Partial<Libraries> = {};
  const vfs = new Vfs();
  vfs.mkdir("/tmp");
  for (const [name, text] of Object.entries(given.files)) {
    const path = `${given.folder}/${name}`;
    vfs.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    vfs.writeFile(path, new TextEncoder().encode(text));
  }
  startNodeProcess({
    vfs, argv: given.argv, argv0: "node", cwd: given.folder, env: given.env, pid: 100, ppid: 1, terminal: null, stdin: false, ipc: false, ownsRealm: true,
    library: (name) => {
      const script = given.libraries[name];
      if (script !== undefined) Object.assign(taken, { [name]: taken[name] ?? takeLibrary(() => given.runScript(script)) });
      return taken[name];
    },
    write: given.write, exit: given.exit, send: ignore, kill: ignore, handlesSignal: ignore,
    spawn: (_request, events) => {
      queueMicrotask(() => events.error("ENOENT", "no children here"));
      return { pid: undefined, write: ignore, send: ignore, kill: ignore };
    },
  });
}

(globalThis as unknown as { startBuiltins: typeof start }).startBuiltins = start;
