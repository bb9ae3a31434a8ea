// What may come into a project from outside, whether from a zip or a folder: how many files, how many bytes, which
// names. Refusals name the file and say what to do.
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { formatBytes } from "../base/units.ts";
import { caseKey, normalizeFilePath } from "./paths.ts";
import type { FileTree } from "./tree.ts";

export interface IntakeLimits {
  readonly files: number;
  readonly bytes: number;
}

export const INTAKE_LIMITS: IntakeLimits = { files: LIMITS.projectFiles, bytes: LIMITS.projectBytes };

/** Collects files and refuses the first that cannot be taken in. `what`: "zip file" or "folder". */
export class Intake {
  readonly #files = new Map<string, Uint8Array>();
  readonly #seen = new Map<string, string>();
  readonly #what: string;
  readonly #limits: IntakeLimits;
  #bytes = 0;

  constructor(what: string, limits: IntakeLimits) {
    this.#what = what;
    this.#limits = limits;
  }

  /** Bytes that may still come. */
  get room(): number {
    return this.#limits.bytes - this.#bytes;
  }

  /** The checked path, for a file whose bytes come later; throws if the name or the number of files is refused. */
  claim(name: string): string {
    const path = this.#checked(name);
    const other = this.#seen.get(caseKey(path));
    if (other === path) throw this.#error(`The ${this.#what} holds "${path}" twice. Remove one of them.`);
    if (other !== undefined) throw this.#error(`The ${this.#what} holds both "${other}" and "${path}", one file on many disks. Rename one of them.`);
    if (this.#seen.size >= this.#limits.files) {
      throw this.#error(`The ${this.#what} holds more than ${this.#limits.files} files. Leave out build output and data.`);
    }
    this.#seen.set(caseKey(path), path);
    return path;
  }

  add(path: string, bytes: Uint8Array): void {
    if (bytes.byteLength > this.room) throw this.tooLarge(path);
    this.#bytes += bytes.byteLength;
    this.#files.set(path, bytes);
  }

  tooLarge(path: string): AppError {
    return this.#error(`The ${this.#what} is larger than ${formatBytes(this.#limits.bytes)} unpacked (reached at "${path}"). Leave out build output and data.`);
  }

  /** A file cannot be a folder as well. */
  finish(): FileTree {
    for (const path of this.#files.keys()) {
      for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
        const folder = this.#seen.get(caseKey(path.slice(0, slash)));
        if (folder !== undefined) throw this.#error(`The ${this.#what} holds "${folder}" both as a file and as the folder of "${path}". Rename one of them.`);
      }
    }
    return this.#files;
  }

  #checked(name: string): string {
    try {
      if (/^(?:[/\\]|[A-Za-z]:)/.test(name)) throw new AppError("project/path", `The path ${JSON.stringify(name)} is absolute.`);
      return normalizeFilePath(name);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "project/path") throw error;
      throw this.#error(`The ${this.#what} holds a file whose path is refused. ${error.message}`, error);
    }
  }

  #error(message: string, cause?: unknown): AppError {
    return new AppError("project/archive", message, { cause });
  }
}
