// What people write for a repository on GitHub, as data: `owner/repo`, `owner/repo@ref`, and the addresses that GitHub's
// own pages have. Where a branch's name may hold slashes, every reading is offered, shortest first.
import { AppError } from "../base/errors.ts";

export interface GitHubAddress {
  readonly owner: string;
  readonly repo: string;
  /** Ways to read what stands behind `/tree/`: a ref (branch, tag, commit; "HEAD" for the default branch) and a folder. */
  readonly readings: readonly { readonly ref: string; readonly folder: string }[];
}

const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/;
const REPO = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

function refuse(text: string): never {
  throw new AppError("project/not-found", `“${text.length > 120 ? `${text.slice(0, 120)}…` : text}” names no repository on GitHub. Write owner/repository, or copy the address of its page.`);
}

/** `ref` and `folder`, where given, win over what the address says. Throws `project/not-found`. */
export function readGitHubAddress(text: string, ref = "", folder = ""): GitHubAddress {
  const bare = text.trim().replace(/^git@github\.com:/i, "").replace(/^(?:git\+)?(?:https?|ssh|git):\/\/(?:[^/@]*@)?(?:www\.)?github\.com\//i, "").replace(/^(?:www\.)?github\.com\//i, "");
  if (/^[a-z+]+:\/\//i.test(bare)) refuse(text);
  const [path = "", afterHash] = bare.split(/[?#]/, 2);
  const [owner = "", named = "", kind, ...rest] = path.replace(/\/+$/, "").split("/").map(decoded);
  const [repoPart = "", atRef] = named.split("@", 2);
  const repo = repoPart.replace(/\.git$/, "");
  if (!OWNER.test(owner) || !REPO.test(repo)) refuse(text);
  const wantedFolder = cleanFolder(folder);
  const wantedRef = ref.trim() || atRef || (/^[\w./-]+$/.test(afterHash ?? "") && kind === undefined ? (afterHash ?? "") : "");
  if (wantedRef) return { owner, repo, readings: [{ ref: wantedRef, folder: wantedFolder || (kind === "tree" ? rest.slice(1).join("/") : "") }] };
  if ((kind === "tree" || kind === "blob" || kind === "commit" || kind === "commits") && rest.length > 0) {
    const isCommit = kind === "commit" || /^[0-9a-f]{40}$/.test(rest[0] ?? "");
    const lengths = isCommit ? [1] : rest.map((_, i) => i + 1);
    const inside = (from: number) => (kind === "tree" ? rest.slice(from) : kind === "blob" ? rest.slice(from, -1) : []).join("/");
    return { owner, repo, readings: lengths.map((length) => ({ ref: rest.slice(0, length).join("/"), folder: wantedFolder || inside(length) })) };
  }
  return { owner, repo, readings: [{ ref: "HEAD", folder: wantedFolder }] };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return segment;
    throw error;
  }
}

function cleanFolder(folder: string): string {
  return folder.trim().split("/").filter((segment) => segment !== "" && segment !== ".").join("/");
}
