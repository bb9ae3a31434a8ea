// Between Node's streams and the web's: Readable.fromWeb and toWeb, Writable.fromWeb and toWeb. A Duplex is its two halves.
import { abortError, invalidArgType, nodeError } from "../errors.ts";
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
type Strategy = QueuingStrategy<unknown>;

function checkStream(value: unknown, name: string, type: "ReadableStream" | "WritableStream"): void {
  const method = type === "ReadableStream" ? "getReader" : "getWriter";
  if (typeof (value as Dict | null)?.[method] !== "function") throw invalidArgType(name, type, value);
}

function readableFromWeb(Readable: Class, source: ReadableStream<unknown>, options: Dict = {}): Dict {
  checkStream(source, "readableStream", "ReadableStream");
  const reader = source.getReader();
  const stream: Dict & { push(chunk: unknown): boolean; destroy(error?: unknown): void } = new Readable({
    ...options,
    read: () => void reader.read().then(({ value, done }) => stream.push(done ? null : value), (error: unknown) => stream.destroy(error)),
    destroy: (error: Error | null, done: Done) => void reader.cancel(error ?? undefined).then(() => done(error), () => done(error)),
  }) as never;
  // A source that fails is heard of before anybody reads on.
  reader.closed.then(undefined, (error: unknown) => stream.destroy(error));
  return stream;
}

function readableToWeb(source: NodeStream, finished: AnyFunction, { strategy }: { readonly strategy?: Strategy } = {}): ReadableStream<unknown> {
  if (typeof source["pipe"] !== "function") throw invalidArgType("streamReadable", "stream.Readable", source);
  const { readableObjectMode: objectMode = false, readableHighWaterMark: highWaterMark = 1 } = source as { readableObjectMode?: boolean; readableHighWaterMark?: number };
  // A chunk counts as one, unless chunks are bytes whose number is known.
  const counted = strategy ?? (objectMode ? new CountQueuingStrategy({ highWaterMark }) : { highWaterMark });
  let settled = false;
  const settle = (act: () => void): void => {
    if (!settled) act();
    settled = true;
  };
  source.pause();
  return new ReadableStream<unknown>({
    start: (controller) => {
      const onEnd = (error?: Error & { code?: string } | null): void => settle(() => {
        const reason = error?.code === "ERR_STREAM_PREMATURE_CLOSE" ? Object.assign(abortError(), { cause: error }) : error;
        if (reason) controller.error(reason);
        else controller.close();
      });
      if (source["destroyed"] === true) {
        onEnd(source["errored"] as Error | null);
        return;
      }
      finished(source, { writable: false }, onEnd);
      source.on("data", (chunk) => {
        if (settled) return;
        // Bytes go over as plain Uint8Arrays.
        controller.enqueue(chunk instanceof Uint8Array && !objectMode ? new Uint8Array(chunk) : chunk);
        if ((controller.desiredSize ?? 0) <= 0) source.pause();
      });
      source.pause();
    },
    pull: () => source.resume(),
    cancel: (reason) => settle(() => source.destroy(reason)),
  }, counted);
}

function writableFromWeb(Writable: Class, target: WritableStream<unknown>, options: Dict = {}): Dict {
  checkStream(target, "writableStream", "WritableStream");
  const writer = target.getWriter();
  const settle = (promise: Promise<unknown>, done: Done): void => void promise.then(() => done(), (error: Error) => done(error));
  const stream = new Writable({
    decodeStrings: false, ...options,
    write: (chunk: unknown, _encoding: string, done: Done) => settle(writer.ready.then(() => writer.write(chunk)), done),
    final: (done: Done) => settle(writer.close(), done),
    destroy: (error: Error | null, done: Done) => (error ? settle(writer.abort(error), () => done(error)) : settle(writer.close(), () => done(null))),
  });
  writer.closed.then(undefined, (error: unknown) => (stream["destroy"] as AnyFunction)(error));
  return stream;
}

function writableToWeb(target: NodeStream, finished: AnyFunction): WritableStream<unknown> {
  // A response of http's is one as well, and no Writable.
  if (typeof target["write"] !== "function" || typeof target["on"] !== "function") throw invalidArgType("streamWritable", "stream.Writable", target);
  const { writableObjectMode: objectMode = false, writableHighWaterMark: highWaterMark = 1 } = target as { writableObjectMode?: boolean; writableHighWaterMark?: number };
  const strategy = objectMode ? new CountQueuingStrategy({ highWaterMark }) : { highWaterMark };
  let failed: ((error: unknown) => void) | undefined;
  return new WritableStream<unknown>({
    start: (controller) => void finished(target, { readable: false }, (error?: Error | null) => {
      const reason = error ?? nodeError(Error, "ERR_STREAM_PREMATURE_CLOSE", "Premature close");
      failed?.(reason);
      if (error) controller.error(error);
    }),
    write: (chunk) => (target.write(chunk) ? undefined : new Promise<void>((resolve, reject) => {
      failed = reject;
      target.once("drain", () => resolve());
    })),
    close: () => new Promise<void>((resolve, reject) => {
      failed = reject;
      target.once("finish", () => resolve());
      target.end();
    }),
    abort: (reason) => target.destroy(reason),
  }, strategy);
}

/** Puts them onto the classes. */
export function addWebStreams(stream: Dict): void {
  const { Readable, Writable, Duplex, finished } = stream as unknown as { Readable: Class; Writable: Class; Duplex: Class & { from(value: unknown): unknown }; finished: AnyFunction };
  Object.assign(Readable, { fromWeb: (source: ReadableStream<unknown>, options?: Dict) => readableFromWeb(Readable, source, options), toWeb: (source: NodeStream, options?: Dict) => readableToWeb(source, finished, options) });
  Object.assign(Writable, { fromWeb: (target: WritableStream<unknown>, options?: Dict) => writableFromWeb(Writable, target, options), toWeb: (target: NodeStream) => writableToWeb(target, finished) });
  Object.assign(Duplex, {
    fromWeb: ({ readable, writable }: { readable: ReadableStream<unknown>; writable: WritableStream<unknown> }, options?: Dict) => Duplex.from({ readable: readableFromWeb(Readable, readable, options), writable: writableFromWeb(Writable, writable, options) }),
    toWeb: (duplex: NodeStream) => ({ readable: readableToWeb(duplex, finished), writable: writableToWeb(duplex, finished) }),
  });
}
