// Everything the page and the service worker say to each other.

/** To the worker; answers come over the port that is sent along. */
export type ToService =
  /** Which version answers, and which does this page run on? Answered with `ServiceStatus`. */
  | { readonly type: "status" }
  /** The user has said so: the version that waits takes over. */
  | { readonly type: "activate" }
  /** Delete the files of versions that no page uses. Answered with the number of versions deleted. */
  | { readonly type: "tidy" };

/** What the worker answers to `status`. */
export interface ServiceStatus {
  /** What a page opened now would get. */
  readonly version: string;
  /** What the page that asks runs on: a version, or "network". */
  readonly runsOn: string;
}

/** To every page: a version could not be stored, and why. What was there before still answers. */
export interface InstallFailed {
  readonly type: "install-failed";
  readonly message: string;
}

/** Whether a message of a page is one of ours; anything on this origin may send one. */
export function isToService(value: unknown): value is ToService {
  const type = (value as { readonly type?: unknown } | null)?.type;
  return type === "status" || type === "activate" || type === "tidy";
}
