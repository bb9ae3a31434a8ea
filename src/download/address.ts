// What a person writes to say which model is meant: a repository of the Hugging Face hub, a file in it, or any address of a
// file. Pure.
import { AppError } from "../base/errors.ts";

/** The hub that is asked unless a mirror is set. */
export const HUB_URL = "https://huggingface.co";

export type ModelAddress =
  | {
      readonly kind: "hub";
      /** `owner/name` */
      readonly repository: string;
      /** A branch, a tag or a commit. */
      readonly revision: string;
      /** A file, or a folder that its files lie in; empty for all. */
      readonly path: string;
      /** Which of several; empty for all. */
      readonly quantisation: string;
    }
  | { readonly kind: "url"; readonly url: string };

const NAME = "[A-Za-z0-9][\\w.-]*";
/** owner/name, then `@revision`, then `/path` or `:quantisation`. */
const WRITTEN = new RegExp(`^(${NAME})/(${NAME})(?:@([\\w./-]+?))?(?:/([^:]+))?(?::([\\w.-]+))?$`);
/** A revision with a slash in it cannot be told from a path: those are given by the hub's own address. */
const FILE_AFTER_REVISION = /^([^/]+)\/(.+)$/;

/** `hubUrl`: addresses below it are the hub's, too. Throws `download/address`. */
export function parseAddress(text: string, hubUrl: string = HUB_URL): ModelAddress {
  const written = text.trim();
  if (/^https?:\/\//i.test(written)) return parseUrl(written, hubUrl);
  const [, owner, name, revision, path, quantisation] = WRITTEN.exec(written.replace(/^(?:hf\.co|huggingface\.co)\//i, "")) ?? [];
  if (owner === undefined || name === undefined) throw notUnderstood(written);
  const [, onlyRevision, after] = FILE_AFTER_REVISION.exec(revision ?? "") ?? [];
  return { kind: "hub", repository: `${owner}/${name}`, revision: onlyRevision ?? revision ?? "main", path: [after, path].filter(Boolean).join("/"), quantisation: quantisation ?? "" };
}

function parseUrl(text: string, hubUrl: string): ModelAddress {
  if (!URL.canParse(text)) throw notUnderstood(text);
  const url = new URL(text);
  url.hash = "";
  const isLocal = /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  const isHub = url.origin === new URL(hubUrl).origin || /^(?:www\.)?(?:huggingface\.co|hf\.co)$/.test(url.hostname);
  if (url.protocol !== "https:" && !isLocal) throw new AppError("download/address", `${text} is not encrypted, and browsers refuse that. Use its https address.`);
  if (url.username !== "" || url.password !== "") throw new AppError("download/address", "The address holds a name and a password. Browsers refuse that: get the file in another tab and open it from your disk.");
  if (!isHub) return { kind: "url", url: url.href };
  const [owner = "", name = "", what, revision = "main", ...path] = url.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  if (owner === "" || name === "" || (what !== undefined && !["tree", "blob", "resolve"].includes(what))) throw notUnderstood(text);
  return { kind: "hub", repository: `${owner}/${name}`, revision, path: path.join("/"), quantisation: "" };
}

function notUnderstood(text: string): AppError {
  return new AppError("download/address", `“${text.slice(0, 200)}” names no model. Write owner/name of a repository on Hugging Face, or the https address of a .gguf file.`);
}
