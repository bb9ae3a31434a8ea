// States of a project, kept so that anything can be undone, and the undoing too. A state is a list of content hashes;
// equal files are stored once. States form a tree: each names the one it was made from. Nothing is dropped by going back
// (undo-stack.ts says where undo goes). What was restored is hashed again before it is called so.
import { sha256Hex } from "../base/digest.ts";
import { AppError } from "../base/errors.ts";
import { sameBytes } from "./changed-paths.ts";
import type { FileTree } from "./tree.ts";

/** What made a state: opening the project, a step of the assistant, an edit of its that was tried and not kept, a command, an edit by hand. */
export type CheckpointKind = "opened" | "step" | "try" | "command" | "edit";

export interface Checkpoint {
  /** "1", "2", … in the order they were made. */
  readonly id: string;
  /** The state this one was made from; absent for the first. */
  readonly parent?: string;
  readonly label: string;
  /** Absent where it is not known, such as a state found before a restore. */
  readonly kind?: CheckpointKind;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** SHA-256 over all paths and content hashes: equal trees have equal hashes. */
  readonly hash: string;
  /** Path → content hash. */
  readonly files: Readonly<Record<string, string>>;
}

/** Structured-cloneable: the page stores it in IndexedDB. */
export interface CheckpointData {
  readonly entries: readonly Checkpoint[];
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly current: string | undefined;
}

/** What a restore writes to and reads back; a `Sandbox` is one. */
export interface Restorable {
  snapshot(): Promise<FileTree>;
  restore(tree: FileTree): Promise<void>;
}

export class Checkpoints {
  #entries: Checkpoint[];
  readonly #blobs: Map<string, Uint8Array>;
  #current: string | undefined;
  readonly #now: () => number;
  /** Hashes of the files last recorded, so that unchanged files are compared and not hashed again. */
  readonly #known = new Map<string, { readonly bytes: Uint8Array; readonly hash: string }>();

  constructor(data?: CheckpointData, now: () => number = Date.now) {
    this.#entries = [...(data?.entries ?? [])];
    this.#blobs = new Map(data?.blobs);
    this.#current = data?.current;
    this.#now = now;
  }

  /** Oldest first. */
  get entries(): readonly Checkpoint[] {
    return this.#entries;
  }

  /** The state the project was in when it was last recorded or restored. */
  get current(): Checkpoint | undefined {
    return this.#entries.find(({ id }) => id === this.#current);
  }

  toData(): CheckpointData {
    return { entries: this.#entries, blobs: this.#blobs, current: this.#current };
  }

  /** Keeps a state; one equal to the current state is the current state. */
  async record(tree: FileTree, label: string, kind?: CheckpointKind): Promise<Checkpoint> {
    const entry = await this.keepAside(tree, label, kind);
    this.#current = entry.id;
    return entry;
  }

  /** As `record`, of a state that the project is not in: the current one stays what it is. */
  async keepAside(tree: FileTree, label: string, kind?: CheckpointKind): Promise<Checkpoint> {
    const files: Record<string, string> = Object.create(null) as Record<string, string>;
    for (const path of [...tree.keys()].sort()) files[path] = await this.#keep(path, tree.get(path)!);
    const hash = await listHash(files);
    const current = this.current;
    if (current?.hash === hash) return current;
    const entry: Checkpoint = {
      id: String(this.#entries.length + 1),
      ...(current ? { parent: current.id } : {}),
      label,
      ...(kind ? { kind } : {}),
      time: this.#now(),
      hash,
      files: Object.fromEntries(Object.entries(files)),
    };
    this.#entries.push(entry);
    return entry;
  }

  /** The files of a checkpoint. */
  tree(id: string): FileTree {
    return new Map(Object.entries(this.#entry(id).files).map(([path, hash]) => [path, this.#blob(hash, path)]));
  }

  /** Gives a checkpoint a name of the user's own; its files and hash stay. */
  rename(id: string, label: string): Checkpoint {
    const entry: Checkpoint = { ...this.#entry(id), label };
    this.#entries = this.#entries.map((old) => (old.id === id ? entry : old));
    return entry;
  }

  /**
   * Makes the project equal to the checkpoint and proves it by hashing what is there then.
   * The state before is recorded first, so that work done by hand is not lost.
   */
  async restore(id: string, project: Restorable): Promise<Checkpoint> {
    const entry = this.#entry(id);
    await this.record(await project.snapshot(), "Before a restore");
    await project.restore(this.tree(id));
    const found = await treeHash(await project.snapshot());
    if (found !== entry.hash) {
      throw new AppError("storage/corrupt", `The project could not be put back to "${entry.label}": its files differ from the checkpoint. Try again, or restore another checkpoint.`, { data: { checkpoint: id } });
    }
    this.#current = id;
    return entry;
  }

  async #keep(path: string, bytes: Uint8Array): Promise<string> {
    const known = this.#known.get(path);
    if (known && sameBytes(known.bytes, bytes)) return known.hash;
    const copy = bytes.slice();
    const hash = await sha256Hex(copy);
    if (!this.#blobs.has(hash)) this.#blobs.set(hash, copy);
    this.#known.set(path, { bytes: copy, hash });
    return hash;
  }

  #entry(id: string): Checkpoint {
    const entry = this.#entries.find((candidate) => candidate.id === id);
    if (!entry) throw new AppError("storage/missing", `There is no checkpoint ${id}. Choose one of the ${this.#entries.length} in the list.`);
    return entry;
  }

  #blob(hash: string, path: string): Uint8Array {
    const bytes = this.#blobs.get(hash);
    if (!bytes) throw new AppError("storage/corrupt", `The stored copy of ${path} is missing. Restore another checkpoint.`);
    return bytes;
  }
}

/** Names a state by its content: equal trees have equal hashes, whatever the order of their files. */
export async function treeHash(tree: FileTree): Promise<string> {
  const files: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const path of [...tree.keys()].sort()) files[path] = await sha256Hex(tree.get(path)!);
  return listHash(files);
}

/** Paths hold no NUL or newline (paths.ts), so this reads only one way. */
function listHash(files: Readonly<Record<string, string>>): Promise<string> {
  const list = Object.entries(files).map(([path, hash]) => `${path}\0${hash}\n`).sort();
  return sha256Hex(new TextEncoder().encode(list.join("")));
}
