// `fs.openAsBlob`: a Blob that stands for a file as it was. Once the file has changed or is gone, it and its slices cannot be
// read any more. What another Blob was made of it keeps what was read.
import { FsError } from "../../fs-error.ts";
import type { Vfs } from "../../vfs.ts";

/** Reads the file at once. */
export function fileBlob(vfs: Vfs, path: string, type: string): Blob {
  const data = contents(vfs, path);
  const mtimeMs = vfs.find(path)?.mtimeMs;
  const isAsItWas = (): boolean => {
    const node = vfs.find(path);
    return node?.kind === "file" && node.mtimeMs === mtimeMs && node.data.length === data.length;
  };
  return watched(new Blob([data], { type }), isAsItWas);
}

function contents(vfs: Vfs, path: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(vfs.readFile(path));
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    throw Object.assign(new TypeError("Unable to open file as blob"), { code: "ERR_INVALID_ARG_VALUE" });
  }
}

const unreadable = (): DOMException => new DOMException("The blob could not be read", "NotReadableError");

function watched(blob: Blob, isAsItWas: () => boolean): Blob {
  const own: Partial<Record<keyof Blob, (...args: never[]) => unknown>> = {
    stream: () => (isAsItWas() ? Blob.prototype.stream.call(blob) : new ReadableStream({ start: (controller) => controller.error(unreadable()) })),
    slice: (...args: Parameters<Blob["slice"]>) => watched(Blob.prototype.slice.apply(blob, args), isAsItWas),
  };
  for (const name of ["arrayBuffer", "text", "bytes"] as const) {
    const native = (Blob.prototype as Partial<Blob>)[name] as (() => Promise<unknown>) | undefined;
    if (native) own[name] = () => (isAsItWas() ? native.call(blob) : Promise.reject(unreadable()));
  }
  for (const [name, value] of Object.entries(own)) Object.defineProperty(blob, name, { value, writable: true, configurable: true, enumerable: false });
  return blob;
}
