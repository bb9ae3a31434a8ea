// Which libraries (libraries.ts) a node program gets with its start. It cannot fetch one later, and nobody who needs none
// shall wait for one: so the project's files are searched for the names of what a library offers, once each, until it is
// there; from then on every program gets it.
import { Breath } from "../../base/breath.ts";
import type { LibraryName } from "../libraries.ts";
import type { StartMessage, Terminal } from "../protocol.ts";
import type { DirNode, FileNode, Vfs } from "../vfs.ts";
import { unshared } from "../vfs-node.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** Named by programs and packages that use it. */
export const MENTIONS: Readonly<Partial<Record<LibraryName, RegExp>>> = {
  // A file that a program may yet write.
  types: /(?<!\.d)\.[cm]?ts["'`]/,
  brotli: /brotli/i,
  wasi: /["'`](?:node:)?wasi["'`]/,
  terminal: /readline|\btty\b/i,
  keys: /create(?:C|Dec)ipher|getCipher|\b(?:C|Dec)ipheriv|generateKeyPair|create(?:Sign|Verify|PublicKey|PrivateKey|ECDH|DiffieHellman)\b|[gG]etDiffieHellman|diffieHellman|(?:public|private)(?:En|De)crypt|(?:generate|check)Prime|crypto\)?\.(?:sign|verify)\(|\{[^{}]{0,300}\b(?:sign|verify)\b[^{}]{0,300}\}\s*(?:=\s*require\(|from\s*)["'](?:node:)?crypto["']|\.subtle\b|\bsubtle["']?\s*[.}\]),;=:?]|webcrypto|CryptoKey|X509Certificate|(?:PRIVATE|PUBLIC) KEY-----/,
};
/** A larger one is no code that a person or a bundler wrote. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;
const TYPESCRIPT = /(?<!\.d)\.[cm]?ts$/;
const CODE = /(?<!\.d)\.[cm]?[jt]s$|^[^.]+$/;

const latin1 = new TextDecoder("latin1");

export class NeededLibraries {
  readonly #vfs: Vfs;
  readonly #pool: WorkerPool;
  /** Contents that were searched and name nothing. */
  readonly #searched = new WeakSet<Uint8Array>();
  readonly #wanted = new Set<LibraryName>();

  constructor(vfs: Vfs, pool: WorkerPool) {
    this.#vfs = vfs;
    this.#pool = pool;
  }

  /** The addresses for one program. Throws what fetching a library throws. */
  async for({ argv, env }: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }, terminal: Terminal | null): Promise<StartMessage["libraries"]> {
    const root = this.#vfs.dir("/");
    if (!this.#wanted.has("typescript") && hasTypeScript(root)) this.#wanted.add("typescript");
    const missing = Object.entries(MENTIONS).filter(([name]) => !this.#wanted.has(name as LibraryName)) as [LibraryName, RegExp][];
    const said = [...argv, env["NODE_OPTIONS"] ?? ""].join("\n");
    for (const [name, pattern] of missing) if (pattern.test(said)) this.#wanted.add(name);
    if (missing.some(([name]) => !this.#wanted.has(name))) await this.#search(root, missing, new Breath("Starting a program"));
    // Its program is typed or comes in: nobody knows what it names.
    const unseen = argv.every((arg) => arg.startsWith("-"));
    const names = new Set<LibraryName>([...this.#wanted, ...(unseen || terminal ? ["terminal" as const] : []), ...(unseen && ((terminal?.fds ?? (terminal ? 1 : 0)) & 1) !== 0 ? ["repl" as const] : [])]);
    return Object.fromEntries(await Promise.all([...names].map(async (name) => [name, await this.#pool.url(name)])));
  }

  async #search(folder: DirNode, missing: readonly (readonly [LibraryName, RegExp])[], breath: Breath): Promise<void> {
    for (const [name, node] of folder.entries) {
      if (TYPESCRIPT.test(name)) this.#wanted.add("types");
      if (node.kind === "dir") await this.#search(node, missing, breath);
      else if (node.kind === "file" && CODE.test(name) && !this.#searched.has(node.data)) {
        this.#look(node, missing);
        await breath.pause();
      }
    }
  }

  #look({ data }: FileNode, missing: readonly (readonly [LibraryName, RegExp])[]): void {
    this.#searched.add(data);
    if (data.length > MAX_FILE_BYTES) return;
    const text = latin1.decode(unshared(data));
    for (const [name, pattern] of missing) if (pattern.test(text)) this.#wanted.add(name);
  }
}

/** Whether the project itself, not what it has installed, has files that may need TypeScript's compiler. */
function hasTypeScript(folder: DirNode): boolean {
  for (const [name, node] of folder.entries) {
    if (node.kind === "file" ? TYPESCRIPT.test(name) : node.kind === "dir" && name !== "node_modules" && hasTypeScript(node)) return true;
  }
  return false;
}
