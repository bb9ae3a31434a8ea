// fs.createReadStream and fs.createWriteStream over open descriptors.
import type { AnyFunction, Dict, Runtime, StreamLike } from "../runtime.ts";
import { Buffer } from "./buffer.ts";
import { optionsOf } from "./fs-sync.ts";
import { createStream } from "./stream.ts";

const CHUNK_BYTES = 64 * 1024;

type Done = (error?: Error | null) => void;
type OwnStream = StreamLike & { fd: number | null; path: unknown; push(chunk: unknown): boolean; pending: boolean; bytesRead: number; bytesWritten: number };

export function createFileStreams(runtime: Runtime, fs: Dict): Dict {
  const { Readable, Writable } = createStream();
  const call = (name: string, ...args: unknown[]): void => void (fs[name] as AnyFunction)(...args);

  const open = (stream: OwnStream, path: unknown, flags: string, mode: unknown, done: Done): void => {
    if (stream.fd !== null) {
      done();
      return;
    }
    call("open", path, flags, mode, (error: Error | null, fd: number) => {
      if (error) return done(error);
      stream.fd = fd;
      stream.pending = false;
      done();
      stream.emit("open", fd);
      stream.emit("ready");
      return undefined;
    });
  };
  const close = (stream: OwnStream, error: Error | null, done: Done): void => {
    if (stream.fd === null) return done(error);
    const { fd } = stream;
    stream.fd = null;
    call("close", fd, (failure: Error | null) => done(error ?? failure));
  };

  const createReadStream = (path: unknown, options?: unknown): unknown => {
    const given = optionsOf(options);
    const { start = 0, end = Number.POSITIVE_INFINITY, flags = "r", highWaterMark = CHUNK_BYTES } = given as { start?: number; end?: number; flags?: string; highWaterMark?: number };
    let position = start;
    const stream: OwnStream = new Readable({
      highWaterMark, autoDestroy: given["autoClose"] !== false, emitClose: true,
      ...(given["encoding"] == null ? {} : { encoding: given["encoding"] }),
      construct: (done: Done) => runtime.loop.nextTick(() => open(stream, path, flags, given["mode"], done)),
      read: (size: number) => {
        const want = Math.min(size, end - position + 1);
        if (want <= 0) {
          stream.push(null);
          return;
        }
        const chunk = Buffer.alloc(want);
        call("read", stream.fd, chunk, 0, want, position, (error: Error | null, bytes: number) => {
          if (error) {
            (stream as unknown as { destroy(error: Error): void }).destroy(error);
            return;
          }
          position += bytes;
          stream.bytesRead += bytes;
          stream.push(bytes === 0 ? null : chunk.subarray(0, bytes));
        });
      },
      destroy: (error: Error | null, done: Done) => close(stream, error, done),
    }) as unknown as OwnStream;
    return Object.assign(stream, { path, flags, fd: (given["fd"] as number | undefined) ?? null, pending: given["fd"] == null, bytesRead: 0 });
  };

  const createWriteStream = (path: unknown, options?: unknown): unknown => {
    const given = optionsOf(options);
    const { flags = "w" } = given as { flags?: string };
    let position = typeof given["start"] === "number" ? given["start"] : null;
    const stream: OwnStream = new Writable({
      decodeStrings: true, autoDestroy: given["autoClose"] !== false, emitClose: true, highWaterMark: given["highWaterMark"] ?? CHUNK_BYTES,
      construct: (done: Done) => runtime.loop.nextTick(() => open(stream, path, flags, given["mode"], done)),
      write: (chunk: Uint8Array, _encoding: string, done: Done) => {
        call("write", stream.fd, chunk, 0, chunk.length, position, (error: Error | null, bytes: number) => {
          if (!error) {
            stream.bytesWritten += bytes;
            if (position !== null) position += bytes;
          }
          done(error);
        });
      },
      destroy: (error: Error | null, done: Done) => close(stream, error, done),
    }) as unknown as OwnStream;
    return Object.assign(stream, { path, flags, fd: (given["fd"] as number | undefined) ?? null, pending: given["fd"] == null, bytesWritten: 0, close: (done?: AnyFunction) => {
      if (done) stream.once("close", done);
      (stream as unknown as { end(): void }).end();
    } });
  };
  return { createReadStream, createWriteStream, ReadStream: createReadStream, WriteStream: createWriteStream };
}
