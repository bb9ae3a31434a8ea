// stream.duplexPair: two streams, each of which reads what is written to the other.
import type { AnyFunction, Dict, StreamLike } from "../runtime.ts";

type Side = StreamLike & { push(chunk: unknown): boolean };

/** Made of this very Duplex. */
export function createDuplexPair(Duplex: new (options?: Dict) => StreamLike): (options?: Dict) => [StreamLike, StreamLike] {
  class DuplexSide extends Duplex {
    #other: DuplexSide | undefined;
    /** Tells the other side that its chunk was asked for. */
    #taken: AnyFunction | undefined;

    static pair(options?: Dict): [StreamLike, StreamLike] {
      const [one, two] = [new DuplexSide(options), new DuplexSide(options)];
      [one.#other, two.#other] = [two, one];
      return [one, two];
    }

    _read(): void {
      const taken = this.#taken;
      this.#taken = undefined;
      taken?.();
    }

    _write(chunk: { readonly length: number }, _encoding: string, done: AnyFunction): void {
      const other = this.#other as DuplexSide & Side;
      if (chunk.length === 0) {
        queueMicrotask(() => void done());
        return;
      }
      other.#taken = done;
      other.push(chunk);
    }

    _final(done: AnyFunction): void {
      const other = this.#other as DuplexSide & Side;
      other.on("end", done);
      other.push(null);
    }
  }
  return function duplexPair(options) {
    return DuplexSide.pair(options);
  };
}
