// A project out of a GitHub repository, at one commit: the ref becomes a commit, the commit a list of files, and what the
// list says is checked before anything is downloaded. Every file must have the content git names; what cannot be part of
// a project (links, submodules, LFS pointers) is left out and said.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { gitBlobId } from "./git-blob.ts";
import { askApi, askFile, GITHUB, type GitHubAccess, json } from "./github-api.ts";
import type { GitHubAddress } from "./github-address.ts";
import { Intake, INTAKE_LIMITS, type IntakeLimits } from "./intake.ts";
import { isIgnoredPath } from "./paths.ts";
import { decodeText } from "./text.ts";
import type { FileTree } from "./tree.ts";

/** A repository, or a folder of it, as a project. */
export interface GitHubProject {
  /** "owner/repo@1a2b3c4", with the folder behind it. */
  readonly name: string;
  readonly commit: string;
  readonly files: FileTree;
  readonly skipped: readonly Skipped[];
}

/** What the repository has and a project cannot hold. */
export interface Skipped {
  readonly path: string;
  readonly why: "link" | "submodule" | "lfs";
}

export interface GitHubProgress {
  readonly doneFiles: number;
  readonly totalFiles: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface GitHubOptions extends Partial<GitHubAccess> {
  readonly limits?: IntakeLimits;
  readonly onProgress?: (progress: GitHubProgress) => void;
}

/** Files asked for at once: enough to hide the way there and back, few enough for a browser's six connections a host. */
const AT_ONCE = 6;

interface TreeEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: string;
  readonly sha: string;
  readonly size: number;
}

/** Throws `project/not-found`, `project/archive` (too much, bad names), `download/failed` or `download/integrity`. */
export async function openGitHub(address: GitHubAddress, options: GitHubOptions = {}, signal?: AbortSignal): Promise<GitHubProject> {
  const access: GitHubAccess = { host: GITHUB, fetch: (...args) => fetch(...args), now: Date.now, ...options };
  const repo = `${address.owner}/${address.repo}`;
  const { commit, tree, folder } = await resolve(access, repo, address, signal);
  const entries = await listTree(access, repo, tree, signal);
  const intake = new Intake("repository", options.limits ?? INTAKE_LIMITS);
  const skipped: Skipped[] = [];
  const wanted: TreeEntry[] = [];
  let totalBytes = 0;
  for (const entry of entries) {
    if (entry.type === "tree" || isIgnoredPath(entry.path)) continue;
    if (entry.type === "commit" || entry.mode === "120000") skipped.push({ path: entry.path, why: entry.type === "commit" ? "submodule" : "link" });
    else {
      wanted.push({ ...entry, path: intake.claim(entry.path) });
      totalBytes += entry.size;
      if (totalBytes > intake.room) throw intake.tooLarge(entry.path);
    }
  }
  if (wanted.length === 0) throw new AppError("project/not-found", `${repo} holds no files${folder ? ` in "${folder}"` : ""} at this commit. Choose another folder or commit.`);
  const contents = await download(access, { repo, commit, folder, wanted, totalBytes, onProgress: options.onProgress }, signal);
  for (const { path } of wanted) {
    const bytes = contents.get(path)!;
    if (isLfsPointer(bytes)) skipped.push({ path, why: "lfs" });
    else intake.add(path, bytes);
  }
  return { name: `${repo}@${commit.slice(0, 7)}${folder ? `/${folder}` : ""}`, commit, files: intake.finish(), skipped };
}

/** The commit of the first reading that names one, and the tree of its folder. */
async function resolve(access: GitHubAccess, repo: string, { readings }: GitHubAddress, signal?: AbortSignal): Promise<{ commit: string; tree: string; folder: string }> {
  for (const { ref, folder } of readings) {
    const response = await askApi(access, `/repos/${repo}/commits/${ref.split("/").map(encodeURIComponent).join("/")}`, "application/vnd.github.sha", signal);
    if (!response) continue;
    const commit = (await response.text()).trim();
    if (!/^[0-9a-f]{40}$/.test(commit)) throw new AppError("download/failed", "GitHub's answer names no commit. A proxy or a firewall may have changed it; try another network.");
    return { commit, folder, tree: await folderTree(access, repo, commit, folder, signal) };
  }
  const ref = readings[0]?.ref ?? "HEAD";
  throw new AppError("project/not-found", ref === "HEAD"
    ? `GitHub shows no repository ${repo}. Check the name; if it is private, give a token that may read it.`
    : `GitHub shows no “${ref}” in ${repo}. Check the branch, tag or commit; if the repository is private, give a token that may read it.`);
}

/** Step by step, so that a folder of a repository too large to list can be opened. */
async function folderTree(access: GitHubAccess, repo: string, commit: string, folder: string, signal?: AbortSignal): Promise<string> {
  let tree = commit;
  for (const segment of folder === "" ? [] : folder.split("/")) {
    const entry = (await readTree(access, repo, tree, "", signal)).entries.find(({ path, type }) => path === segment && type === "tree");
    if (!entry) throw new AppError("project/not-found", `${repo} has no folder "${folder}" at this commit. Check its name; upper and lower case matter.`);
    tree = entry.sha;
  }
  return tree;
}

async function listTree(access: GitHubAccess, repo: string, tree: string, signal?: AbortSignal): Promise<readonly TreeEntry[]> {
  const { entries, truncated } = await readTree(access, repo, tree, "?recursive=1", signal);
  if (truncated) throw new AppError("project/archive", `${repo} is so large that GitHub lists only part of it. Name a folder of it to open.`);
  return entries;
}

async function readTree(access: GitHubAccess, repo: string, tree: string, query: string, signal?: AbortSignal): Promise<{ entries: TreeEntry[]; truncated: boolean }> {
  const response = await askApi(access, `/repos/${repo}/git/trees/${tree}${query}`, "application/vnd.github+json", signal);
  if (!response) throw new AppError("project/not-found", `GitHub no longer has this commit of ${repo}. Open another.`);
  const answer = (await json(response, signal)) as { tree?: unknown; truncated?: unknown } | null;
  if (!Array.isArray(answer?.tree)) throw new AppError("download/failed", "GitHub's answer holds no list of files. A proxy or a firewall may have changed it; try another network.");
  return { entries: answer.tree.map(entryOf), truncated: answer.truncated === true };
}

function entryOf(value: unknown): TreeEntry {
  const { path, mode, type, sha, size } = (value ?? {}) as Partial<Record<keyof TreeEntry, unknown>>;
  if (typeof path !== "string" || typeof mode !== "string" || typeof type !== "string" || typeof sha !== "string" || !/^[0-9a-f]{40}$/.test(sha)) {
    throw new AppError("download/failed", "GitHub's list of files cannot be read. Try again in a while.");
  }
  return { path, mode, type, sha, size: typeof size === "number" ? size : 0 };
}

interface Download {
  readonly repo: string;
  readonly commit: string;
  readonly folder: string;
  readonly wanted: readonly TreeEntry[];
  readonly totalBytes: number;
  readonly onProgress: GitHubOptions["onProgress"];
}

/** All or nothing: the first failure stops the others. */
async function download(access: GitHubAccess, job: Download, signal?: AbortSignal): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>();
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  const queue = job.wanted.values();
  let doneBytes = 0;
  const worker = async (): Promise<void> => {
    for (const entry of queue) {
      throwIfAborted(either, "Opening the repository");
      const bytes = await verified(access, job, entry, either);
      contents.set(entry.path, bytes);
      doneBytes += bytes.byteLength;
      job.onProgress?.({ doneFiles: contents.size, totalFiles: job.wanted.length, doneBytes, totalBytes: job.totalBytes });
    }
  };
  const workers = Array.from({ length: AT_ONCE }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    stop.abort();
    await Promise.allSettled(workers);
    throw error;
  }
  return contents;
}

/** The bytes git names; a wrong answer is asked for once more. */
async function verified(access: GitHubAccess, { repo, commit, folder }: Download, { path, sha }: TreeEntry, signal: AbortSignal): Promise<Uint8Array> {
  const full = folder === "" ? path : `${folder}/${path}`;
  for (let attempt = 0; attempt < 2; attempt++) {
    const bytes = await askFile(access, { repo, commit, path: full, blob: sha, fresh: attempt > 0 }, signal);
    if ((await gitBlobId(bytes)) === sha) return bytes;
  }
  throw new AppError("download/integrity", `What GitHub sent for "${full}" is not what the commit names. A proxy or a firewall may have changed it; try another network.`);
}

/** Source: the LFS specification, docs/spec.md: pointer files begin so and are below 1,024 bytes. */
function isLfsPointer(bytes: Uint8Array): boolean {
  return bytes.byteLength < 1_024 && decodeText(bytes)?.startsWith("version https://git-lfs.github.com/spec/v1\n") === true;
}
