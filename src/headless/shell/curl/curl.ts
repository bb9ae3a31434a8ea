// curl, to servers of this container: options, output, messages and exit codes as curl 7.88's (compared with it by
// test/fixtures/shell/record-curl.ts), without its progress meter.
import { joined } from "../../../base/bytes.ts";
import { FsError } from "../../fs-error.ts";
import { parentPath, resolvePath } from "../../posix-path.ts";
import type { ShellState } from "../state.ts";
import { readAll } from "../streams.ts";
import { sleep } from "../task.ts";
import { bodyOf, dataOf, type ReadFile } from "./body.ts";
import { CookieJar } from "./cookies.ts";
import { CurlError } from "./error.ts";
import { type CurlOptions, parseOptions } from "./options.ts";
import { field, type Head } from "./response.ts";
import { type Transferred, transfer, urlOf, VERSION } from "./transfer.ts";

const HELP = `curl [options] URL...: asks servers of this container (http://localhost:PORT).

 what is asked   -X METHOD  -H 'Name: value'  -d DATA  --json DATA  --data-raw  --data-binary  --data-urlencode  -G  -F name=value  -T FILE
 who asks        -u USER:PASSWORD  -A AGENT  -e REFERER  -b COOKIES  -c FILE
 the answer      -i (with its headers)  -I (headers alone)  -o FILE  -O  --create-dirs  -D FILE  -w FORMAT  -s  -S  -v
 and then        -L (go where it points)  --max-redirs N  -f, --fail-with-body  -m SECONDS  --retry N  --retry-delay S  --retry-connrefused
`;
/** Answers worth another try (curl(1), --retry). */
const TRANSIENT = new Set([408, 429, 500, 502, 503, 504]);

export async function curl(state: ShellState, args: readonly string[]): Promise<number> {
  let options: CurlOptions | undefined;
  try {
    const parsed = parseOptions(args);
    if (typeof parsed === "string") {
      await state.write(1, parsed === "help" ? HELP : `curl ${VERSION} (of this container) http\n`);
      return 0;
    }
    options = parsed;
    const files = options.cookies.filter((cookie) => !cookie.includes("="));
    const jar = files.length > 0 || options.jar !== undefined ? new CookieJar() : undefined;
    for (const cookie of files) jar?.read(new TextDecoder().decode((await reader(state)(cookie)) ?? new Uint8Array()));
    let code = 0;
    for (const [i, url] of options.urls.entries()) code = await oneUrl(state, options, url, options.outputs[i], jar);
    if (jar && options.jar !== undefined) await written(state, options.jar, new TextEncoder().encode(jar.write()), options);
    return code;
  } catch (error) {
    return failed(state, options, error);
  }
}

async function failed(state: ShellState, options: CurlOptions | undefined, error: unknown): Promise<number> {
  if (!(error instanceof CurlError)) throw error;
  const plain = options === undefined;
  if (plain || !options?.silent || options.showError) await state.write(2, plain ? `curl: ${error.message}\n` : `curl: (${error.code}) ${error.message}\n`);
  return error.code;
}

async function oneUrl(state: ShellState, options: CurlOptions, text: string, output: string | null | undefined, jar: CookieJar | undefined): Promise<number> {
  for (let tried = 0; ; tried++) {
    const { code, status } = await attempt(state, options, text, output, jar);
    const again = code === 0 || code === 22 ? TRANSIENT.has(status) : code === 28 || (code === 7 && options.retryRefused) || (options.retryAll && code !== 23);
    if (!again || tried >= options.retries) return code;
    const delayMs = options.retryDelayMs ?? 1000 * 2 ** tried;
    const problem = code === 7 ? "connection refused" : code === 28 ? "timeout" : code === 0 || code === 22 ? "HTTP error" : "(retrying all errors)";
    if (!options.silent) await state.write(2, `Warning: Problem : ${problem}. Will retry in ${delayMs / 1000} seconds. ${options.retries - tried} retries left.\n`);
    await sleep(delayMs, state.signal);
  }
}

async function attempt(state: ShellState, options: CurlOptions, text: string, output: string | null | undefined, jar: CookieJar | undefined): Promise<{ readonly code: number; readonly status: number }> {
  const began = performance.now();
  const ended = new AbortController();
  const timer = options.maxTimeMs > 0 ? setTimeout(() => ended.abort(new CurlError(28, `Operation timed out after ${Math.round(performance.now() - began)} milliseconds with 0 bytes received`)), options.maxTimeMs) : undefined;
  let status = 0;
  const parts: Uint8Array[] = [];
  const heads: string[] = [];
  let done: Transferred | undefined;
  let code = 0;
  try {
    const url = urlOf(text);
    if (options.get && options.data.length > 0) url.search = [url.search.slice(1), new TextDecoder().decode(await dataOf(options.data, reader(state)))].filter((part) => part !== "").join("&");
    if (options.upload !== undefined && url.pathname.endsWith("/")) url.pathname += options.upload.slice(options.upload.lastIndexOf("/") + 1);
    const path = output === null ? url.pathname.slice(url.pathname.lastIndexOf("/") + 1) : output === "-" ? undefined : output;
    if (path === "") throw new CurlError(23, "Remote file name has no length!");
    const said = options.cookies.filter((cookie) => cookie.includes("=")).join("; ");
    done = await transfer(url, options, await bodyOf(options, reader(state)), (at) => [said, jar?.for(at) ?? ""].filter((part) => part !== "").join("; "), {
      network: state.host.network,
      nextPort: () => state.host.nextPort(),
      signal: AbortSignal.any([state.signal, ended.signal]),
      trace: async (line) => {
        if (options.verbose) await state.write(2, `${line}\n`);
      },
      head: async (at, head) => {
        ({ status } = head);
        jar?.take(at, head, Math.floor(Date.now() / 1000));
        heads.push(head.text);
        if (options.include || options.head) await (path === undefined ? state.write(1, bytesOf(head.text)) : parts.push(bytesOf(head.text)));
      },
      body: async (bytes) => {
        await (path === undefined ? state.write(1, bytes) : parts.push(bytes));
      },
    });
    if (path !== undefined) await written(state, path, joined(parts), options);
    if (options.fail === "body" && status >= 400) throw new CurlError(22, `The requested URL returned error: ${status}`);
  } catch (error) {
    code = await failed(state, options, error);
    status ||= Number(/error: (\d{3})$/.exec((error as Error).message)?.[1] ?? 0);
  } finally {
    clearTimeout(timer);
  }
  if (options.dumpHeaders !== undefined) await written(state, options.dumpHeaders, bytesOf(heads.join("")), options);
  if (options.writeOut !== undefined) await state.write(1, summary(options.writeOut, { text, code, status, done, seconds: (performance.now() - began) / 1000 }));
  return { code, status };
}

const reader = (state: ShellState): ReadFile => async (path) => {
  if (path === "-") return readAll(state.stream(0), state.signal);
  try {
    return state.host.vfs.readFile(resolvePath(path, state.cwd));
  } catch (error) {
    if (error instanceof FsError) return undefined;
    throw error;
  }
};

async function written(state: ShellState, path: string, bytes: Uint8Array, { createDirs }: CurlOptions): Promise<void> {
  if (path === "-") return state.write(1, bytes);
  if (path === "/dev/null") return;
  const whole = resolvePath(path, state.cwd);
  try {
    if (createDirs) state.host.vfs.mkdir(parentPath(whole), { recursive: true });
    state.host.vfs.writeFile(whole, bytes);
  } catch (error) {
    if (error instanceof FsError) throw new CurlError(23, `Failure writing output to destination`);
    throw error;
  }
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** --write-out: `%{name}`, `%header{name}`, `%%` and \n, \r, \t. */
function summary(format: string, { text, code, status, done, seconds }: { text: string; code: number; status: number; done: Transferred | undefined; seconds: number }): string {
  const head: Head | undefined = done?.head;
  const values: Readonly<Record<string, string>> = {
    http_code: String(status).padStart(3, "0"), response_code: String(status).padStart(3, "0"), content_type: (head && field(head, "content-type")) ?? "", size_download: String(done?.downloaded ?? 0),
    size_upload: String(done?.uploaded ?? 0), url: text, url_effective: done?.url ?? text, redirect_url: done?.redirectUrl ?? "", num_redirects: String(done?.redirects ?? 0), method: done?.method ?? "",
    http_version: head?.version ?? "0", exitcode: String(code), scheme: "HTTP", remote_ip: "127.0.0.1", num_connects: String((done?.redirects ?? 0) + 1), time_total: seconds.toFixed(6),
  };
  return format
    .replaceAll(/%header\{([^}]+)\}|%\{([^}]+)\}|%%|\\([nrt])/g, (whole, header?: string, name?: string, letter?: string) => {
      if (header !== undefined) return (head && field(head, header.toLowerCase())) ?? "";
      if (name !== undefined) return values[name] ?? (name.startsWith("time_") ? "0.000000" : "");
      return letter === undefined ? whole.slice(1) : ({ n: "\n", r: "\r", t: "\t" }[letter] ?? "");
    });
}

