// The files of a repository on the Hugging Face hub, at one commit, with the sizes and hashes that the hub publishes. The
// hub's own client comes only when a list is asked for, and only here.
import { AppError, toAppError } from "../base/errors.ts";
import type { RemoteFile } from "./range-request.ts";

export interface Repository {
  readonly name: string;
  /** The revision as it was when it was asked for: what is fetched later is of the same commit. */
  readonly commit: string;
  readonly files: readonly RemoteFile[];
}

/** Throws `download/failed`: no such public repository, or the hub cannot be reached. */
export async function readRepository(name: string, revision: string, hubUrl: string): Promise<Repository> {
  const { listFiles, modelInfo, HubApiError } = await import("@huggingface/hub").catch((cause: unknown) => {
    throw new AppError("download/failed", "Part of this page, the hub's client, could not be fetched. Check the connection and try again.", { cause });
  });
  try {
    const { sha } = await modelInfo({ name, revision, hubUrl, additionalFields: ["sha"] });
    if (!/^[0-9a-f]{40}$/.test(sha)) throw new AppError("download/failed", `${hubUrl} names no commit for ${name}. Check that it is a Hugging Face hub.`);
    const files: RemoteFile[] = [];
    for await (const { type, path, size, lfs } of listFiles({ repo: { type: "model", name }, recursive: true, revision: sha, hubUrl })) {
      if (type !== "file") continue;
      const url = `${hubUrl}/${name}/resolve/${sha}/${path.split("/").map(encodeURIComponent).join("/")}`;
      files.push({ name: path, url, bytes: lfs?.size ?? size, ...(lfs && /^[0-9a-f]{64}$/.test(lfs.oid) ? { sha256: lfs.oid } : {}) });
    }
    return { name, commit: sha, files };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const { host } = new URL(hubUrl);
    if (!(cause instanceof HubApiError)) throw new AppError("download/failed", `${host} cannot be reached. Check the connection and try again.`, { cause: toAppError(cause) });
    const { statusCode: status } = cause;
    if (status === 429) throw new AppError("download/failed", `${host} has had too many requests from here. Wait a few minutes and try again.`, { data: { status } });
    // The hub answers 401 for what is private as for what is not there.
    if (status === 401 || status === 403 || status === 404) throw new AppError("download/failed", `${host} has no public model ${name} with a revision ${revision}. Check the spelling.`, { data: { status } });
    throw new AppError("download/failed", `${host} answered ${status}. Try again later.`, { data: { status } });
  }
}
