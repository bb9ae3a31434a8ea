// GitHub's REST API as far as a project needs it: requests with a sentence for each way they fail. No cookie goes out;
// a token, where the user gives one, only to the API's own address.
import { AppError, rethrowIfFatal, throwIfAborted, toAppError } from "../base/errors.ts";

/** Where GitHub answers; tests name their own server. */
export interface GitHubHost {
  /** "https://api.github.com"; no slash at the end. */
  readonly api: string;
  /** "https://raw.githubusercontent.com" */
  readonly raw: string;
}

export const GITHUB: GitHubHost = { api: "https://api.github.com", raw: "https://raw.githubusercontent.com" };

/** Where to ask, and as whom. */
export interface GitHubAccess {
  readonly host: GitHubHost;
  /** Kept in memory only. */
  readonly token?: string;
  readonly fetch: typeof fetch;
  /** Milliseconds since 1970, to say when a limit ends. */
  readonly now: () => number;
}

const WAIT = /^\d+$/;

/** The answer of the API; 404 and 422 (no such ref) are `undefined`. Throws `download/failed` with what to do. */
export async function askApi(access: GitHubAccess, path: string, accept: string, signal?: AbortSignal): Promise<Response | undefined> {
  // No header beyond these: each other one costs a CORS preflight, and must be on GitHub's list.
  const headers = { accept, ...(access.token ? { authorization: `Bearer ${access.token}` } : {}) };
  const response = await send(access, `${access.host.api}${path}`, { headers, credentials: "omit", cache: "no-store" }, signal);
  if (response.status === 404 || response.status === 422) return undefined;
  if (!response.ok) throw failure(response, access);
  return response;
}

/** One file at one commit. */
export interface FileRequest {
  readonly repo: string;
  readonly commit: string;
  readonly path: string;
  readonly blob: string;
  /** Past the browser's cache: what is in it was wrong. */
  readonly fresh: boolean;
}

/** A file's bytes: from the host of raw files, which counts no requests, or with a token from the API. */
export async function askFile(access: GitHubAccess, { repo, commit, path, blob, fresh }: FileRequest, signal?: AbortSignal): Promise<Uint8Array> {
  const response = access.token
    ? await askApi(access, `/repos/${repo}/git/blobs/${blob}`, "application/vnd.github.raw+json", signal)
    : await send(access, `${access.host.raw}/${repo}/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`, { credentials: "omit", cache: fresh ? "reload" : "default" }, signal);
  if (!response?.ok) throw response && response.status !== 404 ? failure(response, access) : new AppError("download/failed", `GitHub no longer has "${path}" at this commit. Try again; if it stays so, open another commit.`);
  return reading(response.arrayBuffer(), signal).then((buffer) => new Uint8Array(buffer));
}

/** The body as JSON. Throws `download/failed` where it is none. */
export async function json(response: Response, signal?: AbortSignal): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throwIfAborted(signal, "Opening the repository");
    rethrowIfFatal(cause);
    throw new AppError("download/failed", "GitHub's answer cannot be read. A proxy or a firewall may have changed it; try another network.", { cause });
  }
}

async function send(access: GitHubAccess, url: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
  throwIfAborted(signal, "Opening the repository");
  return reading(access.fetch(url, { ...init, ...(signal ? { signal } : {}) }), signal);
}

async function reading<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throwIfAborted(signal, "Opening the repository");
    if (toAppError(cause).code === "aborted") throw toAppError(cause);
    throw new AppError("download/failed", "GitHub cannot be reached. Check the connection, then try again; a zip of the repository works without it.", { cause });
  }
}

function failure(response: Response, access: GitHubAccess): AppError {
  const { status, headers } = response;
  if (status === 401) return new AppError("download/failed", "GitHub does not accept the token. Make a new one with read access to this repository, or leave the field empty.");
  const retryAfter = headers.get("retry-after");
  const spent = headers.get("x-ratelimit-remaining") === "0";
  if (status === 429 || (status === 403 && (spent || retryAfter !== null))) {
    const reset = headers.get("x-ratelimit-reset") ?? "";
    const seconds = WAIT.test(retryAfter ?? "") ? Number(retryAfter) : WAIT.test(reset) ? Math.max(1, Number(reset) - Math.floor(access.now() / 1_000)) : undefined;
    const when = seconds === undefined ? "in a while" : `in ${Math.ceil(seconds / 60)} min`;
    return new AppError("download/failed", `GitHub's limit of requests from your address is used up. Try again ${when}, or give a token: it has a limit of its own.`, seconds === undefined ? {} : { data: { retrySeconds: seconds } });
  }
  if (status === 403) return new AppError("download/failed", "GitHub refuses access to this repository. If it is private, give a token that may read it.");
  if (status === 451) return new AppError("download/failed", "GitHub has blocked this repository for legal reasons. Open another.");
  return new AppError("download/failed", `GitHub answered with an error (${status}). Try again in a while.`);
}
