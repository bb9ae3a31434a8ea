// Answers questions to a registry: from what is stored, or by a GET without credentials. It runs in a worker of /headless,
// because a worker has a policy of its own: the page that holds the container's ports keeps one without any network.
import { LIMITS } from "../../base/limits.ts";
import { keepPackage, readPackage } from "./package-cache.ts";
import { type RegistryAnswer, type RegistryQuestion, urlOf } from "./question.ts";

/** Short documents: what an install needs of each version, nothing else. */
const ACCEPT = { document: "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*", tarball: "*/*" } as const;
const RETRY_MS = [300, 1_000] as const;

const failure = (code: string, message: string): RegistryAnswer => ({ ok: false, code, message });

/** What is stored, if the question allows it; no network. Undefined: ask the registry. */
export async function answerStored(question: RegistryQuestion): Promise<RegistryAnswer | undefined> {
  const key = keyOf(question);
  // A tarball is what its hash says, wherever it comes from; a document may have changed.
  const useful = question.kind === "tarball" || question.mode !== "online";
  const bytes = key === undefined || !useful ? undefined : await readPackage(key);
  if (bytes) return { ok: true, bytes };
  if (question.mode !== "offline") return undefined;
  return failure("ENOTCACHED", `request to ${urlOf(question)} failed: cache mode is 'only-if-cached' but no cached response is available.`);
}

/** From the network; a document from what is stored when there is none. */
export async function answerFetched(question: RegistryQuestion, signal: AbortSignal): Promise<RegistryAnswer> {
  let answer: RegistryAnswer = failure("ENETWORK", "");
  for (let attempt = 0; attempt <= RETRY_MS.length; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS[attempt - 1]));
    if (signal.aborted) break;
    answer = await get(question, signal);
    if (answer.ok || !/^(ENETWORK|E5\d\d)$/.test(answer.code)) break;
  }
  const key = keyOf(question);
  if (answer.ok && key !== undefined && (question.kind === "document" || (await hasHash(answer.bytes, question.integrity)))) await keepPackage(key, answer.bytes as Uint8Array<ArrayBuffer>);
  if (!answer.ok && answer.code === "ENETWORK" && question.kind === "document" && key !== undefined) {
    const stored = await readPackage(key);
    if (stored) return { ok: true, bytes: stored };
  }
  return answer;
}

async function get(question: RegistryQuestion, signal: AbortSignal): Promise<RegistryAnswer> {
  const url = urlOf(question);
  const most = question.kind === "document" ? LIMITS.packageDocumentBytes : LIMITS.tarballBytes;
  const tooLarge = (): RegistryAnswer => failure("ETOOLARGE", `${url} is larger than ${most} bytes, the most that is fetched of one package.`);
  try {
    const response = await fetch(url, {
      method: "GET",
      headers: { accept: ACCEPT[question.kind] },
      credentials: "omit",
      mode: "cors",
      // Another host was not consented to.
      redirect: "error",
      referrerPolicy: "no-referrer",
      cache: question.kind === "document" ? "no-cache" : "no-store",
      signal: AbortSignal.any([signal, AbortSignal.timeout(LIMITS.registryMs)]),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return statusFailure(response.status, response.statusText, url, question);
    }
    if (Number(response.headers.get("content-length") ?? 0) > most) {
      await response.body?.cancel();
      return tooLarge();
    }
    const bytes = await readUpTo(response, most);
    if (!bytes) return tooLarge();
    if (question.kind === "document" && bytes[0] !== 0x7b && !new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().startsWith("{")) {
      return failure("FETCH_ERROR", `invalid json response body at ${url}: it begins with ${JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 24)))}. Is this a registry, or a page that asks to sign in?`);
    }
    return { ok: true, bytes };
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") return failure("ETIMEDOUT", `request to ${url} took longer than ${LIMITS.registryMs / 1000} s.`);
    if (signal.aborted) return failure("EABORTED", `request to ${url} was given up.`);
    return failure("ENETWORK", `request to ${url} failed: there is no network, the registry is down or cut the answer off, or it does not allow web pages (CORS).`);
  }
}

/** Undefined when there is more. */
async function readUpTo(response: Response, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = response.body?.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    size += next.value.length;
    if (size > most) {
      await reader?.cancel();
      return undefined;
    }
    parts.push(next.value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function statusFailure(status: number, statusText: string, url: string, question: RegistryQuestion): RegistryAnswer {
  const said = `${status} ${statusText || (status === 404 ? "Not Found" : "")}`.trim();
  if (status === 404 && question.kind === "document") return failure("E404", `${said} - GET ${url.replace("%2f", "/")} - Not found`);
  if (status === 401 || status === 403) return failure(`E${status}`, `${said} - GET ${url}: the registry wants a login. This container sends no credentials to anyone.`);
  return failure(`E${status}`, `${said} - GET ${url}`);
}

/** Stored only under a hash that it has. */
async function hasHash(bytes: Uint8Array, integrity: string): Promise<boolean> {
  const wanted = integrity.split(/\s+/).filter((hash) => hash.startsWith("sha512-"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes as BufferSource));
  return wanted.includes(`sha512-${btoa(String.fromCharCode(...digest))}`);
}

function keyOf(question: RegistryQuestion): string | undefined {
  if (question.kind === "document") return urlOf(question);
  return question.integrity.split(/\s+/).find((hash) => hash.startsWith("sha512-"));
}
