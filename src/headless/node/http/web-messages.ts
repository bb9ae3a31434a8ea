// Request and Response as servers know them. A browser drops fields that page code may not set or see (Cookie, Host,
// Set-Cookie …) from both; programs here are no page code, and Node keeps them.

const NativeRequest = globalThis.Request;
const NativeResponse = globalThis.Response;
const { AbortController, AbortSignal, FormData, ReadableStream } = globalThis;

/** True where the engine's own classes keep every field. */
const KEEPS_ALL = new NativeResponse(null, { headers: { "set-cookie": "a=1" } }).headers.has("set-cookie");

function allFields(given: HeadersInit | undefined, from: Headers): Headers {
  const headers = new Headers(given);
  for (const [name, value] of from) if (!headers.has(name)) headers.append(name, value);
  return headers;
}

const READS = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"] as const;

/** A signal of another realm (jsdom's, in tests of pages) as one that the engine takes. */
export function nativeSignal(given: AbortSignal | null | undefined): AbortSignal | null | undefined {
  if (given === null || given === undefined || given instanceof AbortSignal) return given;
  const other = given as Partial<AbortSignal>;
  if (typeof other.aborted !== "boolean" || typeof other.addEventListener !== "function") throw new TypeError("Failed to construct 'Request': member signal is not of type AbortSignal.");
  const controller = new AbortController();
  const abort = (): void => controller.abort(other.reason);
  if (other.aborted) abort();
  else other.addEventListener("abort", abort, { once: true });
  return controller.signal;
}

/** A body that Node takes and an engine would print: a Node stream, what else can be iterated, and a form of another realm. */
function nativeBody(given: unknown): BodyInit | null | undefined {
  if (typeof given !== "object" || given === null || given instanceof ReadableStream) return given as BodyInit;
  const iterator = (given as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator]?.();
  if (iterator) {
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(typeof value === "string" ? new TextEncoder().encode(value) : new Uint8Array(value as Uint8Array));
      },
      cancel: async () => void (await iterator.return?.()),
    });
  }
  if (given instanceof FormData || (given as FormData & { [Symbol.toStringTag]?: string })[Symbol.toStringTag] !== "FormData") return given as BodyInit;
  const form = new FormData();
  for (const [name, value] of given as Iterable<[string, string]>) form.append(name, value);
  return form;
}

function nativeRequestInit(init: RequestInit | undefined): RequestInit | undefined {
  const signal = nativeSignal(init?.signal);
  const body = nativeBody(init?.body);
  return init && (signal !== init.signal || body !== init.body) ? (Object.create(init, { signal: { value: signal }, body: { value: body } }) as RequestInit) : init;
}

class FullRequest extends NativeRequest {
  readonly #headers: Headers;

  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(input, nativeRequestInit(init));
    this.#headers = allFields(init?.headers ?? (input instanceof NativeRequest ? input.headers : undefined), super.headers);
  }

  override get headers(): Headers {
    return this.#headers;
  }

  override clone(): Request {
    return new FullRequest(super.clone(), { headers: this.#headers });
  }
}

class FullResponse extends NativeResponse {
  readonly #headers: Headers;

  constructor(body?: BodyInit | null, init?: ResponseInit) {
    super(nativeBody(body), init);
    this.#headers = allFields(init?.headers, super.headers);
  }

  override get headers(): Headers {
    return this.#headers;
  }

  override clone(): Response {
    const copy = super.clone();
    return placed(new FullResponse(copy.body, { status: copy.status, statusText: copy.statusText, headers: this.#headers }), this.url, this.redirected);
  }

  static override json(data: unknown, init: ResponseInit = {}): Response {
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new FullResponse(JSON.stringify(data), { ...init, headers });
  }

  static override redirect(url: string | URL, status = 302): Response {
    return new FullResponse(null, { status: NativeResponse.redirect(url, status).status, headers: { location: new URL(url).href } });
  }
}

// Node words a second reading its own way, and JSON errors as JSON.parse does.
for (const [made, native] of [[FullRequest, NativeRequest], [FullResponse, NativeResponse]] as const) {
  for (const name of READS) {
    const read = {
      async [name](this: Body): Promise<unknown> {
        if (this.bodyUsed || this.body?.locked) throw new TypeError("Body is unusable: Body has already been read");
        const value = await ((native.prototype as Body)[name === "json" ? "text" : name] as () => Promise<unknown>).call(this);
        return name === "json" ? (JSON.parse(value as string) as unknown) : value;
      },
    };
    if (name in native.prototype) Object.defineProperty(made.prototype, name, { value: read[name], writable: true, configurable: true });
  }
}

for (const [made, name] of [[FullRequest, "Request"], [FullResponse, "Response"]] as const) Object.defineProperty(made, "name", { value: name });

export const WebRequest: typeof Request = KEEPS_ALL ? NativeRequest : FullRequest;
export const WebResponse: typeof Response = KEEPS_ALL ? NativeResponse : FullResponse;

/** A response that came from an address. An engine words its own error for a body that was cut short; `failure` is ours. */
export function placed(response: Response, url: string, redirected: boolean, failure: () => unknown = () => undefined): Response {
  const clone = response.clone.bind(response);
  const own: Record<string, unknown> = { url, redirected, type: "basic", clone: () => placed(clone(), url, redirected, failure) };
  for (const name of READS) {
    const read = (response as unknown as Record<string, (() => Promise<unknown>) | undefined>)[name]?.bind(response);
    if (read) own[name] = () => read().catch((error: unknown) => Promise.reject((failure() ?? error) as Error));
  }
  for (const [key, value] of Object.entries(own)) Object.defineProperty(response, key, { value, configurable: true });
  return response;
}
