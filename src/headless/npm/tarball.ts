// A package's tarball: its hash, its gzip, its tar. What comes out are files below the package's folder, and nothing else:
// links, devices and names that lead out of it are refused or left out, as npm does.
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256, sha384 } from "@noble/hashes/sha2.js";
import { createSHA512 } from "hash-wasm";
import { unpackTar } from "modern-tar";
import { LIMITS } from "../../base/limits.ts";
import { NpmError } from "./error.ts";

export interface PackedFile {
  /** Below the package's folder, e.g. `lib/index.js`. */
  readonly path: string;
  readonly data: Uint8Array;
  readonly mode: number;
}

/** Not WebCrypto's: a Worker of an opaque origin has none. The one that all of today's packages have is in WebAssembly, five times as fast. */
let sha512: ReturnType<typeof createSHA512> | undefined;
async function hashSha512(bytes: Uint8Array): Promise<Uint8Array> {
  const hasher = await (sha512 ??= createSHA512());
  return hasher.init().update(bytes).digest("binary");
}

/** Strongest first. */
const ALGORITHMS = { sha512: hashSha512, sha384, sha256, sha1 } as const;

/** `sha512-…` of some bytes. */
export async function integrityOf(bytes: Uint8Array, algorithm: keyof typeof ALGORITHMS = "sha512"): Promise<string> {
  return `${algorithm}-${btoa(String.fromCharCode(...(await ALGORITHMS[algorithm](bytes))))}`;
}

/** Throws EINTEGRITY unless the bytes have one of the hashes of the strongest kind that `wanted` names. */
export async function checkIntegrity(bytes: Uint8Array, wanted: string, what: string): Promise<void> {
  const hashes = wanted.split(/\s+/).map((hash) => hash.replace(/\?.*$/, ""));
  for (const algorithm of Object.keys(ALGORITHMS) as (keyof typeof ALGORITHMS)[]) {
    const ofKind = hashes.filter((hash) => hash.startsWith(`${algorithm}-`));
    if (ofKind.length === 0) continue;
    const found = await integrityOf(bytes, algorithm);
    if (ofKind.includes(found)) return;
    throw new NpmError("EINTEGRITY", `${ofKind.join(" ")} integrity checksum failed when using ${algorithm}: wanted ${ofKind.join(" ")} but got ${found}. (${bytes.length} bytes)`, {
      notes: [`package ${what}`, "The registry sent other bytes than the lockfile or the registry's own document names. Nothing was installed."],
    });
  }
  throw new NpmError("EINTEGRITY", `no known integrity checksum for ${what}: "${wanted}"`);
}

/** The files of a tarball, without their first folder. `what` names it in errors. */
export async function unpackTarball(bytes: Uint8Array, what: string): Promise<readonly PackedFile[]> {
  const tar = bytes[0] === 0x1f && bytes[1] === 0x8b ? await gunzip(bytes, what) : bytes;
  const entries = await unpackTar(tar).catch((cause: unknown) => {
    throw new NpmError("TAR_BAD_ARCHIVE", `${what}: the tarball cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const files = new Map<string, PackedFile>();
  for (const { header, data } of entries) {
    if (header.type === "directory" || header.type === "pax-global-header") continue;
    // npm leaves links out as well: a package is files.
    if (header.type !== "file") continue;
    const path = pathInPackage(header.name, what);
    // A copy frees the archive. Modes as after npm: readable by all, executable or not.
    if (path !== "") files.set(path, { path, data: data?.slice() ?? new Uint8Array(), mode: ((header.mode ?? 0o644) & 0o111) === 0 ? 0o644 : 0o755 });
    if (files.size > LIMITS.packageFiles) throw new NpmError("ETOOLARGE", `${what}: the tarball holds more than ${LIMITS.packageFiles} files.`);
  }
  if (files.size === 0) throw new NpmError("TAR_BAD_ARCHIVE", `${what}: the tarball holds no files.`);
  return [...files.values()];
}

function pathInPackage(name: string, what: string): string {
  const parts = name.replaceAll("\\", "/").split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes("..") || name.includes("\0") || parts.includes("__proto__")) {
    throw new NpmError("TAR_ENTRY_ERROR", `${what}: the tarball has a file outside of its folder: ${JSON.stringify(name)}. Nothing was installed.`);
  }
  return parts.slice(1).join("/");
}

async function gunzip(bytes: Uint8Array, what: string): Promise<Uint8Array> {
  const reader = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      parts.push(next.value);
      size += next.value.length;
      if (size > LIMITS.packageBytes) {
        await reader.cancel();
        throw new NpmError("ETOOLARGE", `${what}: unpacked, the tarball is larger than ${LIMITS.packageBytes} bytes.`);
      }
    }
  } catch (cause) {
    if (cause instanceof NpmError) throw cause;
    throw new NpmError("Z_DATA_ERROR", `${what}: the tarball is damaged or was cut off. Run the command again.`, { cause });
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
