// A local server that answers as GitHub's REST API does (commits, trees, blobs, raw files, limits, CORS), out of a real
// git repository. It is written from the public documentation; the real service was not asked.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { GitHubHost } from "../../src/project/github-api.ts";

export interface GitHubFake {
  readonly host: GitHubHost;
  /** Path and query of each request, in order. */
  readonly requests: string[];
  /** What it does from now on. */
  readonly mood: {
    private: boolean;
    /** Requests to the API that are left; undefined: no limit. */
    remaining: number | undefined;
    /** Epoch seconds when the limit ends. */
    reset: number;
    truncated: boolean;
    /** Paths whose bytes arrive changed, and how often still. */
    damaged: Map<string, number>;
    status: number | undefined;
    delayMs: number;
    /** Sizes the list of files gives instead of the true ones. */
    sizes: Map<string, number>;
  };
  git(...args: string[]): string;
  close(): Promise<void>;
}

export const TOKEN = "github_pat_for_tests";

/** Serves `octo/demo` with these files on branch `main`; a value that is a path in `link:` form becomes a symbolic link. */
export async function openGitHubFake(files: Readonly<Record<string, string | Uint8Array>>): Promise<GitHubFake> {
  const folder = mkdtempSync(join(tmpdir(), "tabwright-github-"));
  const git = (...args: string[]): string => execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "core.autocrlf=false", ...args], { cwd: folder, stdio: "pipe", encoding: "utf8", maxBuffer: 1 << 28 });
  git("init", "-q", "-b", "main");
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    if (typeof content === "string" && content.startsWith("link:")) symlinkSync(content.slice(5), join(folder, path));
    else writeFileSync(join(folder, path), content);
  }
  git("add", "-A");
  git("commit", "-qm", "start");
  const mood: GitHubFake["mood"] = { private: false, remaining: undefined, reset: 0, truncated: false, damaged: new Map(), status: undefined, delayMs: 0, sizes: new Map() };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "");
    const go = (): void => answer(request, response, { git, folder, mood });
    if (mood.delayMs > 0) setTimeout(go, mood.delayMs);
    else go();
  });
  await new Promise<void>((done) => server.listen(0, "localhost", done));
  const address = server.address();
  const origin = `http://localhost:${typeof address === "object" && address ? address.port : 0}`;
  return {
    host: { api: `${origin}/api`, raw: `${origin}/raw` },
    requests,
    mood,
    git,
    close: () =>
      new Promise((done) => {
        server.close(() => {
          rmSync(folder, { recursive: true, force: true });
          done();
        });
        server.closeAllConnections();
      }),
  };
}

interface Place {
  readonly git: GitHubFake["git"];
  readonly folder: string;
  readonly mood: GitHubFake["mood"];
}

const CORS = { "access-control-allow-origin": "*", "access-control-expose-headers": "ETag, Link, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset" };

function answer(request: IncomingMessage, response: ServerResponse, place: Place): void {
  const { mood } = place;
  const say = (status: number, body: string | Uint8Array, headers: Record<string, string> = {}): void => void response.writeHead(status, { ...CORS, ...headers }).end(body);
  if (request.method === "OPTIONS") return say(204, "", { "access-control-allow-headers": "Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since, X-GitHub-OTP, X-Requested-With", "access-control-allow-methods": "GET, POST, PATCH, PUT, DELETE" });
  const url = new URL(request.url ?? "/", "http://localhost");
  const [, side = "", ...rest] = url.pathname.split("/").map(decodeURIComponent);
  const message = (status: number, text: string, headers: Record<string, string> = {}) => say(status, JSON.stringify({ message: text }), { "content-type": "application/json; charset=utf-8", ...headers });
  if (mood.status !== undefined) return message(mood.status, "as asked");
  if (side === "raw") return rawFile(rest, place, say);
  const authorization = request.headers.authorization;
  if (authorization !== undefined && authorization !== `Bearer ${TOKEN}`) return message(401, "Bad credentials");
  if (mood.remaining !== undefined && authorization === undefined && mood.remaining-- <= 0) {
    return message(403, "API rate limit exceeded for 203.0.113.7. (But here's the good news: Authenticated requests get a higher rate limit.)", { "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(mood.reset) });
  }
  const [repos, owner, repo, ...what] = rest;
  if (repos !== "repos" || owner !== "octo" || repo !== "demo" || (mood.private && authorization === undefined)) return message(404, "Not Found");
  if (what[0] === "commits") return commit(what.slice(1).join("/"), place, say, message);
  if (what[0] === "git" && what[1] === "trees") return tree(what[2] ?? "", url.searchParams.get("recursive") === "1", place, say, message);
  if (what[0] === "git" && what[1] === "blobs") return say(200, bytesOf(place, what[2] ?? ""), { "content-type": "application/vnd.github.raw+json" });
  message(404, "Not Found");
}

type Say = (status: number, body: string | Uint8Array, headers?: Record<string, string>) => void;
type Message = (status: number, text: string) => void;

function commit(ref: string, { git }: Place, say: Say, message: Message): void {
  try {
    say(200, git("rev-parse", "--verify", "--quiet", `${ref}^{commit}`).trim(), { "content-type": "application/vnd.github.sha; charset=utf-8" });
  } catch {
    message(422, `No commit found for SHA: ${ref}`);
  }
}

function tree(id: string, recursive: boolean, { git, mood }: Place, say: Say, message: Message): void {
  let lines: string;
  try {
    lines = git("ls-tree", "-l", "-z", "--full-tree", ...(recursive ? ["-r", "-t"] : []), id);
  } catch {
    return message(404, "Not Found");
  }
  const entries = lines.split("\0").filter((line) => line !== "").map((line) => {
    const [, mode, type, sha, size, path] = /^(\d+) (\w+) ([0-9a-f]{40}) +(-|\d+)\t(.*)$/s.exec(line) ?? [];
    return { path, mode, type, sha, ...(size === "-" ? {} : { size: mood.sizes.get(path ?? "") ?? Number(size) }) };
  });
  say(200, JSON.stringify({ sha: id, tree: entries, truncated: mood.truncated && recursive }), { "content-type": "application/json; charset=utf-8" });
}

function rawFile([owner, repo, sha, ...path]: readonly string[], place: Place, say: Say): void {
  const name = path.join("/");
  if (owner !== "octo" || repo !== "demo" || place.mood.private) return say(404, "404: Not Found");
  try {
    const bytes = bytesOf(place, place.git("rev-parse", "--verify", "--quiet", `${sha}:${name}`).trim());
    const left = place.mood.damaged.get(name) ?? 0;
    if (left > 0 && bytes.length > 0) {
      place.mood.damaged.set(name, left - 1);
      bytes[0]! ^= 1;
    }
    say(200, bytes, { "content-type": "text/plain; charset=utf-8", "cache-control": "max-age=300" });
  } catch {
    say(404, "404: Not Found");
  }
}

function bytesOf({ folder }: Place, blob: string): Uint8Array {
  return new Uint8Array(execFileSync("git", ["cat-file", "blob", blob], { cwd: folder, maxBuffer: 1 << 28 }));
}
