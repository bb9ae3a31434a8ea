// From the bytes of a connection to messages: one per socket.
import { Buffer } from "../builtins/buffer.ts";
import type { Runtime } from "../runtime.ts";
import type { Socket } from "../net/socket.ts";
import { type Incoming, setMaxHeaders } from "./incoming.ts";
import type { OldClass } from "./old-class.ts";
import { type Head, HttpParser, type ParseError, type ParserOptions } from "./parser.ts";

export interface ParserEvents {
  /** Returns true when no body follows whatever its headers say (an answer to HEAD); "upgrade" when the bytes after it are no HTTP. */
  message(incoming: Incoming, keepAlive: boolean, upgrade: boolean): boolean | "upgrade";
}

interface MessageOptions extends ParserOptions {
  readonly joinDuplicateHeaders?: boolean | undefined;
  readonly maxHeadersCount?: number | null | undefined;
}

export type { ParseError };

const warned = new WeakSet<Runtime>();

/** What the process's flags say of reading messages; a server's or a request's own options come before. */
export function readingOptions(runtime: Runtime): ParserOptions {
  const { options } = runtime;
  if (options.insecureHttpParser && !warned.has(runtime)) {
    warned.add(runtime);
    (runtime.process as unknown as { emitWarning(text: string): void }).emitWarning("Using insecure HTTP parsing");
  }
  return { maxHeaderSize: options.maxHttpHeaderBytes, insecureHTTPParser: options.insecureHttpParser };
}

export class MessageParser {
  readonly #parser: HttpParser;
  readonly #socket: Socket;
  /** A parser that has failed says the same again. */
  #failure: ParseError | undefined;
  /** The message that is being read or was read last; programs look here for who is at work. */
  incoming: Incoming | null = null;

  constructor(kind: "REQUEST" | "RESPONSE", socket: Socket, IncomingMessage: OldClass<Incoming>, events: ParserEvents, options: MessageOptions = {}) {
    this.#socket = socket;
    const message = (head: Head): Incoming => {
      const incoming = new IncomingMessage(...([socket] as never[]));
      Object.assign(incoming, {
        httpVersionMajor: head.major, httpVersionMinor: head.minor, httpVersion: `${head.major}.${head.minor}`,
        rawHeaders: head.fields, joinDuplicateHeaders: options.joinDuplicateHeaders === true, upgrade: head.upgrade,
      });
      setMaxHeaders(incoming, options.maxHeadersCount);
      if (kind === "REQUEST") Object.assign(incoming, { url: head.url, method: head.method });
      else Object.assign(incoming, { statusCode: head.status, statusMessage: head.reason });
      return incoming;
    };
    this.#parser = new HttpParser(kind, {
      head: (head) => {
        const incoming = message(head);
        this.incoming = incoming;
        const answer = events.message(incoming, head.keepAlive, head.upgrade);
        return answer === "upgrade" ? "upgrade" : answer ? "bodiless" : undefined;
      },
      body: (part) => {
        const { incoming } = this;
        if (!incoming || (incoming._dumped && incoming.destroyed)) return;
        if (part.length > 0 && !incoming.push(Buffer.from(part.buffer, part.byteOffset, part.byteLength)) && !incoming._dumped) socket.pause();
      },
      end: (trailers) => {
        const { incoming } = this;
        if (!incoming) return;
        this.incoming = null;
        incoming.rawTrailers = trailers;
        incoming.complete = true;
        incoming.push(null);
        // A reader that was slow with the last piece does not ask for more; the next message must come all the same.
        if (!socket.destroyed) socket.resume();
      },
    }, options);
  }

  /** Whether a message has begun and not ended. */
  get reading(): boolean {
    return this.#parser.reading;
  }

  /** The bytes after an upgrade, undefined in all other cases; throws what the peer did wrong. */
  execute(data: Uint8Array): Uint8Array | undefined {
    if (this.#failure) throw this.#failure;
    try {
      const used = this.#parser.execute(data);
      return this.#parser.upgraded ? data.subarray(used) : undefined;
    } catch (error) {
      if (typeof (error as Partial<ParseError>).bytesParsed === "number") {
        this.#failure = error as ParseError;
        this.#failure.rawPacket = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      }
      throw error;
    }
  }

  /** The other side will send no more. Throws when a message is cut short. */
  finish(): void {
    if (!this.#failure) this.#parser.finish();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
