// Between Node's streams and the web's: Readable.fromWeb and toWeb, Writable.fromWeb and toWeb. A Duplex is its two halves.
import type { AnyFunction, Dict } from "../runtime.ts";

type Class = (new (options?: Dict) => Dict) & Dict;
type Done = (error?: Error | null) => void;
interface NodeStream extends Dict {
  on(event: string, listener: AnyFunction): void;
  once(event: string, listener: AnyFunction): void;
  write(chunk: unknown): boolean;
  end(): void;
  destroy(error?: unknown): void;
  pause(): void;
  resume(): void;
}

function readableFromWeb(Readable: Class, source: ReadableStream<unknown>, options: Dict = {}): Dict {
  const reader = source.getReader();
  const stream: Dict & { push(chunk: unknown): boolean; destroy(error: unknown): void } = new Readable({
    ...options,
    read: () => void reader.read().then(({ value, done }) => stream.push(done ? null : value), (error: unknown) => stream.destroy(error)),
    destroy: (error: Error | null, done: Done) => void reader.cancel(error ?? undefined).then(() => done(error), () => done(error)),
  }) as never;
  return stream;
}

function readableToWeb(source: NodeStream, finished: AnyFunction): ReadableStream<unknown> {
  source.pause();
  return new ReadableStream<unknown>({
    start: (controller) => {
      finished(source, { writable: false }, (error?: Error | null) => {
        if (error) controller.error(error);
        else controller.close();
      });
      source.on("data", (chunk) => {
        // Bytes go over as plain Uint8Arrays.
        controller.enqueue(chunk instanceof Uint8Array ? new Uint8Array(chunk) : chunk);
        if ((controller.desiredSize ?? 0) <= 0) source.pause();
      });
      source.pause();
    },
    pull: () => source.resume(),
    cancel: (reason) => source.destroy(reason),
  });
}

function writableFromWeb(Writable: Class, target: WritableStream<unknown>, options: Dict = {}): Dict {
  const writer = target.getWriter();
  const settle = (promise: Promise<unknown>, done: Done): void => void promise.then(() => done(), (error: Error) => done(error));
  return new Writable({
    decodeStrings: false, ...options,
    write: (chunk: unknown, _encoding: string, done: Done) => settle(writer.write(chunk), done),
    final: (done: Done) => settle(writer.close(), done),
    destroy: (error: Error | null, done: Done) => (error ? settle(writer.abort(error), () => done(error)) : done(null)),
  });
}

function writableToWeb(target: NodeStream, finished: AnyFunction): WritableStream<unknown> {
  return new WritableStream<unknown>({
    start: (controller) => void finished(target, { readable: false }, (error?: Error | null) => {
      if (error) controller.error(error);
    }),
    write: (chunk) => (target.write(chunk) ? undefined : new Promise<void>((resolve) => target.once("drain", () => resolve()))),
    close: () => new Promise<void>((resolve) => {
      target.once("finish", () => resolve());
      target.end();
    }),
    abort: (reason) => target.destroy(reason),
  });
}

/** Puts them onto the classes. */
export function addWebStreams(stream: Dict): void {
  const { Readable, Writable, Duplex, finished } = stream as unknown as { Readable: Class; Writable: Class; Duplex: Class & { from(value: unknown): unknown }; finished: AnyFunction };
  Object.assign(Readable, { fromWeb: (source: ReadableStream<unknown>, options?: Dict) => readableFromWeb(Readable, source, options), toWeb: (source: NodeStream) => readableToWeb(source, finished) });
  Object.assign(Writable, { fromWeb: (target: WritableStream<unknown>, options?: Dict) => writableFromWeb(Writable, target, options), toWeb: (target: NodeStream) => writableToWeb(target, finished) });
  Object.assign(Duplex, {
    fromWeb: ({ readable, writable }: { readable: ReadableStream<unknown>; writable: WritableStream<unknown> }, options?: Dict) => Duplex.from({ readable: readableFromWeb(Readable, readable, options), writable: writableFromWeb(Writable, writable, options) }),
    toWeb: (duplex: NodeStream) => ({ readable: readableToWeb(duplex, finished), writable: writableToWeb(duplex, finished) }),
  });
}
