// From the bytes of a connection to messages: one parser per socket, over the kept HTTP/1.1 parser.
import { HTTPParser } from "http-parser-js";
import { Buffer } from "../builtins/buffer.ts";
import type { Socket } from "../net/socket.ts";
import { MAX_HEADER_BYTES } from "./common.ts";
import type { Incoming } from "./incoming.ts";
import type { OldClass } from "./old-class.ts";

// Field values are bytes; Node gives them out as Latin-1.
HTTPParser.encoding = "latin1";
// Its own limit counts a body's bytes too when a message ends within the same piece.
HTTPParser.maxHeaderSize = Infinity;
if (!HTTPParser.methods.includes("QUERY")) HTTPParser.methods.push("QUERY");

export interface ParserEvents {
  /** Returns true when no body follows whatever its headers say (an answer to HEAD); "upgrade" when the bytes after it are no HTTP. */
  message(incoming: Incoming, keepAlive: boolean, upgrade: boolean): boolean | "upgrade";
  /** The whole message has come. */
  complete?(incoming: Incoming): void;
}

export type ParseError = Error & { code: string; bytesParsed: number; rawPacket: Uint8Array };

export class MessageParser {
  readonly #parser: InstanceType<typeof HTTPParser>;
  readonly #socket: Socket;
  #incoming: Incoming | undefined;
  #upgraded = false;
  readonly #type: "REQUEST" | "RESPONSE";
  readonly #maxHeadBytes: number;
  /** Bytes since the parser last had anything to say: they are part of a head. */
  #headBytes = 0;
  #said = false;

  constructor(type: "REQUEST" | "RESPONSE", socket: Socket, IncomingMessage: OldClass<Incoming>, events: ParserEvents, options: { readonly maxHeaderSize?: number; readonly joinDuplicateHeaders?: boolean } = {}) {
    this.#socket = socket;
    const parser = new HTTPParser(type);
    this.#parser = parser;
    this.#type = type;
    this.#maxHeadBytes = options.maxHeaderSize || MAX_HEADER_BYTES;
    parser[2] = (head) => {
      this.#said = true;
      if (head.headers.reduce((sum, text) => sum + text.length + 2, head.url?.length ?? 0) > this.#maxHeadBytes) throw overflow(new Uint8Array());
      const incoming = new IncomingMessage(...([socket] as never[]));
      Object.assign(incoming, {
        httpVersionMajor: head.versionMajor, httpVersionMinor: head.versionMinor, httpVersion: `${head.versionMajor}.${head.versionMinor}`,
        rawHeaders: head.headers, joinDuplicateHeaders: options.joinDuplicateHeaders === true, upgrade: head.upgrade,
      });
      if (type === "REQUEST") {
        incoming.url = head.url;
        incoming.method = HTTPParser.methods[head.method] ?? null;
      } else {
        incoming.statusCode = head.statusCode;
        incoming.statusMessage = head.statusMessage;
      }
      this.#incoming = incoming;
      const skip = events.message(incoming, head.shouldKeepAlive, head.upgrade);
      this.#upgraded = skip === "upgrade";
      // 2 ends the message here, 1 means that it has no body.
      return skip === "upgrade" ? 2 : skip ? 1 : 0;
    };
    parser[3] = (chunk, offset, length) => {
      this.#said = true;
      const incoming = this.#incoming;
      if (!incoming || incoming._dumped && incoming.destroyed) return;
      const part = chunk.subarray(offset, offset + length);
      if (length > 0 && !incoming.push(Buffer.from(part.buffer, part.byteOffset, part.byteLength)) && !incoming._dumped) this.#socket.pause();
    };
    parser[1] = (trailers) => {
      if (this.#incoming) this.#incoming.rawTrailers = trailers;
    };
    parser[4] = () => {
      this.#said = true;
      const incoming = this.#incoming;
      if (!incoming) return;
      this.#incoming = undefined;
      incoming.complete = true;
      if (!this.#upgraded) {
        incoming.push(null);
        // A reader that was slow with the last piece does not ask for more; the next message must come all the same.
        if (!this.#socket.destroyed) this.#socket.resume();
      }
      events.complete?.(incoming);
    };
  }

  /** The bytes after an upgrade, undefined in all other cases; throws what the peer did wrong. */
  execute(data: Uint8Array): Uint8Array | undefined {
    this.#said = false;
    // Its types know Node's Buffer alone; what comes from a socket is one.
    const used = this.#parser.execute(data as never);
    if (typeof used !== "number") throw parseError(this.#type, used, data);
    this.#headBytes = this.#said ? 0 : this.#headBytes + data.length;
    if (this.#headBytes > this.#maxHeadBytes) throw overflow(data);
    return this.#upgraded ? data.subarray(used) : undefined;
  }

  /** The other side will send no more. Throws when a message is cut short. */
  finish(): void {
    const error = this.#parser.finish();
    if (error) throw parseError(this.#type, error, new Uint8Array());
  }
}

function failure(code: string, reason: string, rawPacket: Uint8Array): ParseError {
  return Object.assign(new Error(`Parse Error: ${reason}`), { bytesParsed: 0, code, reason, rawPacket });
}

function overflow(rawPacket: Uint8Array): ParseError {
  return failure("HPE_HEADER_OVERFLOW", "Header overflow", rawPacket);
}

/** The parser's own words are its alone; Node's codes are what programs look at. */
function parseError(type: "REQUEST" | "RESPONSE", error: Error & { code?: string }, rawPacket: Uint8Array): ParseError {
  if (error.code?.startsWith("HPE_") && error.code !== "HPE_INVALID_CONSTANT") return failure(error.code, error.message.replace(/^Parse Error: ?/, "") || "Invalid header", rawPacket);
  if (/EOF/.test(error.message)) return failure("HPE_INVALID_EOF_STATE", "Invalid EOF state", rawPacket);
  const [, method = ""] = /^(\S*)/.exec(new TextDecoder("latin1").decode(rawPacket.subarray(0, 40))) ?? [];
  if (type === "REQUEST" && !HTTPParser.methods.includes(method)) return failure("HPE_INVALID_METHOD", "Invalid method encountered", rawPacket);
  return failure("HPE_INVALID_CONSTANT", "Expected HTTP/", rawPacket);
}
