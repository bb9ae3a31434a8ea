// HTTP/1.x from bytes to heads, bodies and ends, as strict as Node's parser and with its codes. Lines are Latin-1 text.
// What it does not do: RTSP and ICE, and the exact byte an error is told at.
import { isToken, MAX_HEADER_BYTES, METHODS } from "./common.ts";

export interface Head {
  readonly major: number;
  readonly minor: number;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly reason: string;
  /** Names and values in turn. */
  readonly fields: string[];
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
}

export interface HeadEvents {
  /** "bodiless": no body follows whatever the head says; "upgrade": what follows is no HTTP. */
  head(head: Head): "bodiless" | "upgrade" | undefined;
  body(bytes: Uint8Array): void;
  end(trailers: string[]): void;
}

export interface ParserOptions {
  readonly maxHeaderSize?: number | undefined;
  /** Node's `insecureHTTPParser`: takes what the standard forbids. */
  readonly insecureHTTPParser?: boolean | undefined;
}

export type ParseError = Error & { code: string; reason: string; bytesParsed: number; rawPacket: Uint8Array | undefined };

type State = "start" | "fields" | "fixed" | "open" | "size" | "chunk" | "chunkEnd" | "trailers" | "closed" | "upgraded";

const KNOWN: ReadonlySet<string> = new Set<string>(METHODS);
const VERSIONS = new Set(["0.9", "1.0", "1.1", "2.0"]);
const MAX_EXTENSION_BYTES = 16 * 1024;
const LF = 10;

const latin1 = new TextDecoder("latin1");

function failure(code: string, reason: string, bytesParsed = 0): ParseError {
  return Object.assign(new Error(`Parse Error: ${reason}`), { bytesParsed: Math.max(0, bytesParsed), code, reason, rawPacket: undefined });
}

export class HttpParser {
  readonly #request: boolean;
  readonly #events: HeadEvents;
  readonly #maxHeadBytes: number;
  readonly #lenient: boolean;
  #state: State = "start";
  /** The beginning of a line whose end has not come. */
  #line = "";
  /** Where the current line starts, seen from the piece that is being read. */
  #lineStart = 0;
  #headBytes = 0;
  #left = 0;
  #start: Pick<Head, "major" | "minor" | "method" | "url" | "status" | "reason"> = NOTHING;
  #fields: string[] = [];
  #trailers: string[] = [];
  #length: number | undefined;
  #encodings: string[] = [];
  #connection = new Set<string>();
  #asksUpgrade = false;
  #keepAlive = false;

  constructor(kind: "REQUEST" | "RESPONSE", events: HeadEvents, { maxHeaderSize, insecureHTTPParser }: ParserOptions = {}) {
    this.#request = kind === "REQUEST";
    this.#events = events;
    this.#maxHeadBytes = maxHeaderSize || MAX_HEADER_BYTES;
    this.#lenient = insecureHTTPParser === true;
  }

  get upgraded(): boolean {
    return this.#state === "upgraded";
  }

  get reading(): boolean {
    return !["start", "closed", "upgraded"].includes(this.#state) || this.#line !== "";
  }

  /** How many bytes were read: all, unless the connection became something else. Throws what the peer did wrong. */
  execute(data: Uint8Array): number {
    let at = 0;
    while (at < data.length && this.#state !== "upgraded") {
      if (this.#state === "fixed" || this.#state === "chunk") {
        const end = Math.min(data.length, at + this.#left);
        this.#left -= end - at;
        this.#events.body(data.subarray(at, end));
        at = end;
        if (this.#left === 0) {
          if (this.#state === "fixed") this.#end();
          else this.#state = "chunkEnd";
        }
      } else if (this.#state === "open") {
        this.#events.body(data.subarray(at));
        at = data.length;
      } else {
        const lf = data.indexOf(LF, at);
        this.#lineStart = at - this.#line.length;
        const text = this.#line + latin1.decode(data.subarray(at, lf < 0 ? data.length : lf));
        at = lf < 0 ? data.length : lf + 1;
        this.#line = lf < 0 ? text : "";
        if (lf < 0) this.#begun(text);
        else this.#read(text);
      }
    }
    return at;
  }

  /** The other side will send no more. Throws when a message is cut short. */
  finish(): void {
    if (this.#state === "open") this.#end();
    else if (this.reading && !(this.#state === "start" && this.#line.trim() === "")) throw Object.assign(failure("HPE_INVALID_EOF_STATE", "Invalid EOF state"), { message: "Parse Error" });
  }

  #fail(code: string, reason: string, column = 0): never {
    throw failure(code, reason, this.#lineStart + column);
  }

  /** What can be told to be wrong before the line has ended. */
  #begun(text: string): void {
    const inner = text.slice(0, -1).indexOf("\r");
    if (this.#state === "closed") this.#closed(text);
    else if (this.#state === "start") {
      if (text.trim() === "") return;
      const [word = ""] = text.split(" ", 1);
      const known = this.#request ? (word === text ? METHODS.some((method) => method.startsWith(word)) : KNOWN.has(word)) : "HTTP/".startsWith(text.slice(0, 5));
      if (!known) this.#readStart(text);
    } else if (this.#state === "size") this.#countExtension(Math.max(0, text.length - 17));
    else if (this.#state === "chunkEnd" && text !== "\r") this.#fail("HPE_STRICT", "Expected LF after chunk data");
    if (inner >= 0 && !this.#lenient) this.#strayReturn(inner + 1);
    if (this.#state !== "size") this.#countHead(text.length, false);
  }

  #strayReturn(column: number): never {
    if (this.#state === "start") this.#fail("HPE_STRICT", this.#request ? "Expected CRLF after version" : "Expected LF after CR", column);
    if (this.#state === "size") this.#fail("HPE_STRICT", "Expected LF after chunk size", column);
    if (column === 1) this.#fail("HPE_STRICT", "Expected LF after headers", column);
    this.#fail("HPE_LF_EXPECTED", "Missing expected LF after header value", column);
  }

  #read(line: string): void {
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (this.#state === "closed") return this.#closed(text);
    // Empty lines may precede a message.
    if (this.#state === "start" && text === "") return;
    if (this.#state === "chunkEnd") {
      if (text !== "" || (text === line && !this.#lenient)) this.#fail("HPE_STRICT", "Expected LF after chunk data");
      this.#state = "size";
      return;
    }
    if (!this.#lenient) {
      const stray = text.indexOf("\r");
      if (stray >= 0) this.#strayReturn(stray + 1);
    }
    if (this.#state === "start") {
      this.#readStart(text);
      this.#countHead(this.#start.url.length + this.#start.reason.length, true);
      if (text === line && !this.#lenient) {
        if (this.#request) this.#fail("HPE_INVALID_VERSION", "Expected CRLF after version", text.length);
        this.#fail("HPE_CR_EXPECTED", "Missing expected CR after response line", text.length);
      }
      this.#state = "fields";
    } else if (this.#state === "size") {
      if (text === line && !this.#lenient) this.#fail("HPE_CR_EXPECTED", "Missing expected CR after chunk size", text.length);
      this.#readSize(text);
    } else {
      if (text === line && !this.#lenient) {
        if (text === "") this.#fail("HPE_INVALID_HEADER_TOKEN", "Invalid header field char");
        this.#fail("HPE_CR_EXPECTED", "Missing expected CR after header value", text.length);
      }
      if (text !== "") this.#readField(text);
      else if (this.#state === "fields") this.#headEnd();
      else this.#end();
    }
  }

  #closed(text: string): void {
    if (text.trim() !== "" && !this.#lenient) this.#fail("HPE_CLOSED_CONNECTION", "Data after `Connection: close`", 1);
  }

  #countHead(bytes: number, keep: boolean): void {
    if (this.#headBytes + bytes >= this.#maxHeadBytes) this.#fail("HPE_HEADER_OVERFLOW", "Header overflow", bytes);
    if (keep) this.#headBytes += bytes;
  }

  #countExtension(bytes: number): void {
    if (bytes > MAX_EXTENSION_BYTES) this.#fail("HPE_CHUNK_EXTENSIONS_OVERFLOW", "Chunk extensions overflow", bytes);
  }

  #readStart(text: string): void {
    const words = text.split(/ +/);
    if (!this.#request) {
      const [, version = "", status = "", reason = ""] = /^HTTP\/(\S*) (\S*) ?(.*)$/.exec(text) ?? [];
      if (!text.startsWith("HTTP/")) this.#fail("HPE_INVALID_CONSTANT", "Expected HTTP/, RTSP/ or ICE/");
      this.#checkVersion(version, 8);
      if (!/^[1-9]\d\d/.test(status)) this.#fail("HPE_INVALID_STATUS", "Invalid status code", 9);
      if (status.length > 3) this.#fail("HPE_INVALID_STATUS", "Invalid response status", 12);
      this.#start = { ...NOTHING, major: Number(version[0]), minor: Number(version[2]), status: Number(status), reason };
      return;
    }
    const [method = "", url = "", protocol = "", ...more] = words;
    if (!KNOWN.has(method)) this.#fail("HPE_INVALID_METHOD", "Invalid method encountered", 1);
    const urlAt = method.length + 1;
    if (method !== "CONNECT" && !/^(?:[/*]|[a-zA-Z]+:\/\/)/.test(url)) this.#fail("HPE_INVALID_URL", "Invalid characters in url", urlAt);
    const strange = url.search(this.#lenient ? /[^\x21-\x7e\x80-\xff]/ : /[^\x21-\x7e]/);
    if (strange >= 0) this.#fail("HPE_INVALID_URL", url.charCodeAt(strange) < 0x80 ? "Invalid characters in url" : "Invalid char in url path", urlAt + strange);
    // A request without a version is one of HTTP/0.9.
    if (protocol !== "" && !protocol.startsWith("HTTP/")) this.#fail("HPE_INVALID_CONSTANT", "Expected HTTP/, RTSP/ or ICE/", urlAt + url.length + 1);
    const version = protocol === "" ? "0.9" : protocol.slice(5);
    this.#checkVersion(version, text.length);
    if (more.join("") !== "") this.#fail("HPE_INVALID_VERSION", "Expected CRLF after version", text.length);
    this.#start = { ...NOTHING, major: Number(version[0]), minor: Number(version[2]), method, url };
  }

  #checkVersion(version: string, column: number): void {
    if (!(this.#lenient ? /^\d\.\d$/.test(version) : VERSIONS.has(version))) this.#fail("HPE_INVALID_VERSION", "Invalid HTTP version", column);
  }

  #readField(text: string): void {
    const into = this.#state === "trailers" ? this.#trailers : this.#fields;
    if (/^[ \t]/.test(text)) {
      if (into.length === 0) this.#fail("HPE_UNEXPECTED_SPACE", "Unexpected space after start line");
      if (!this.#lenient) this.#fail("HPE_INVALID_HEADER_TOKEN", "Unexpected whitespace after header value");
      into[into.length - 1] += text.trimEnd();
      return;
    }
    const colon = text.indexOf(":");
    const name = text.slice(0, Math.max(0, colon));
    if (!isToken(name)) this.#fail("HPE_INVALID_HEADER_TOKEN", "Invalid header token", Math.max(0, colon));
    const value = text.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    const strange = this.#lenient ? value.indexOf("\0") : value.search(/[^\t\x20-\x7e\x80-\xff]/);
    if (strange >= 0) this.#fail("HPE_INVALID_HEADER_TOKEN", "Invalid header value char", colon + 2 + strange);
    this.#countHead(name.length + value.length, true);
    this.#notice(name.toLowerCase(), value);
    into.push(name, value);
  }

  /** Fields that say where the message ends and what becomes of the connection. */
  #notice(name: string, value: string): void {
    if (name === "content-length") {
      if (this.#encodings.length > 0 && !this.#lenient) this.#fail("HPE_INVALID_CONTENT_LENGTH", "Content-Length can't be present with Transfer-Encoding");
      if (this.#length !== undefined) this.#fail("HPE_UNEXPECTED_CONTENT_LENGTH", "Duplicate Content-Length");
      if (!/^\d+$/.test(value)) this.#fail("HPE_INVALID_CONTENT_LENGTH", value === "" ? "Empty Content-Length" : "Invalid character in Content-Length");
      if (Number(value) >= 2 ** 64) this.#fail("HPE_INVALID_CONTENT_LENGTH", "Content-Length overflow");
      this.#length = Number(value);
    } else if (name === "transfer-encoding") {
      if (this.#length !== undefined && !this.#lenient) this.#fail("HPE_INVALID_TRANSFER_ENCODING", "Transfer-Encoding can't be present with Content-Length");
      this.#encodings.push(...value.split(",").map((coding) => coding.trim().toLowerCase()));
      if (this.#request && !this.#lenient && this.#encodings.slice(0, -1).includes("chunked")) this.#fail("HPE_INVALID_TRANSFER_ENCODING", "Invalid `Transfer-Encoding` header value");
    } else if (name === "connection" || name === "proxy-connection") for (const word of value.split(",")) this.#connection.add(word.trim().toLowerCase());
    else if (name === "upgrade") this.#asksUpgrade = true;
  }

  #headEnd(): void {
    const { method, status, major, minor } = this.#start;
    const chunked = this.#encodings.at(-1) === "chunked";
    const silent = !this.#request && (status < 200 || status === 204 || status === 304);
    const open = !this.#request && !silent && !chunked && (this.#length === undefined || this.#encodings.length > 0);
    this.#keepAlive = !open && (major > 0 && minor > 0 ? !this.#connection.has("close") : this.#connection.has("keep-alive"));
    const upgrade = this.#asksUpgrade && this.#connection.has("upgrade") ? this.#request || status === 101 : method === "CONNECT";
    const answer = this.#events.head({ ...this.#start, fields: this.#fields, keepAlive: this.#keepAlive, upgrade });
    if (answer === "upgrade") {
      this.#end();
      this.#state = "upgraded";
    } else if (answer === "bodiless" || silent) this.#end();
    else if (chunked) this.#state = "size";
    else if (this.#request && this.#encodings.length > 0 && !this.#lenient) this.#fail("HPE_INVALID_TRANSFER_ENCODING", "Request has invalid `Transfer-Encoding`");
    else if (open || (this.#request && this.#encodings.length > 0)) this.#state = "open";
    else if (this.#length) {
      this.#left = this.#length;
      this.#state = "fixed";
    } else this.#end();
  }

  #readSize(text: string): void {
    const [, digits = "", rest = ""] = /^([\da-fA-F]*)(.*)$/.exec(text) ?? [];
    if (digits === "" || (rest !== "" && !rest.startsWith(";"))) this.#fail("HPE_INVALID_CHUNK_SIZE", "Invalid character in chunk size", digits.length);
    if (digits.length > 16) this.#fail("HPE_INVALID_CHUNK_SIZE", "Chunk size overflow", 16);
    this.#countExtension(rest.length);
    const strange = rest.search(/[^\t\x20-\x7e\x80-\xff]/);
    if (strange >= 0) this.#fail("HPE_STRICT", "Invalid character in chunk extensions name", digits.length + strange);
    this.#left = parseInt(digits, 16);
    this.#state = this.#left === 0 ? "trailers" : "chunk";
  }

  #end(): void {
    const trailers = this.#trailers;
    this.#state = this.#keepAlive || this.#start.status === 101 || (this.#start.status >= 100 && this.#start.status < 200) ? "start" : "closed";
    this.#start = NOTHING;
    this.#fields = [];
    this.#trailers = [];
    this.#encodings = [];
    this.#connection = new Set();
    this.#length = undefined;
    this.#asksUpgrade = false;
    this.#headBytes = 0;
    this.#events.end(trailers);
  }
}

const NOTHING = { major: 0, minor: 0, method: "", url: "", status: 0, reason: "" };
