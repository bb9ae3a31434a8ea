// "Open in full page": a project in the fragment of an address, as a zip in base64url, with the open file and the words
// for the composer. A fragment never leaves the browser. Whoever made the link is a stranger: what it holds passes the
// same gates as every zip, and the words are offered, not sent.
import { AppError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/units.ts";
import { readZip, writeZip } from "../../project/archive.ts";
import type { FileTree } from "../../project/tree.ts";
import type { Session } from "../session/session.ts";

/** A project on its way from the widget to the full page. */
export interface Handoff {
  readonly name: string;
  readonly files: FileTree;
  /** Path of the file to show; empty for none. */
  readonly open: string;
  readonly prompt: string;
}

/** How such a fragment begins; src/ui/main.ts looks for it before this file is loaded. */
const HANDOFF_MARK = "#project=";
/** Everything stands below one folder, which reading takes off again, so that no folder of the project's own is. */
const FOLDER = "project/";
const CONTROL = /\p{Cc}/gu;

/** The fragment, `#` included. Throws `project/archive` for a project that is too large to travel in an address. */
export async function writeHandoff({ name, files, open, prompt }: Handoff): Promise<string> {
  const zip = await writeZip(new Map([...files].map(([path, bytes]) => [FOLDER + path, bytes])));
  const more = new URLSearchParams({ name, ...(open === "" ? {} : { open }), ...(prompt === "" ? {} : { prompt }) });
  const fragment = `${HANDOFF_MARK}${toBase64Url(zip)}&${more.toString()}`;
  if (fragment.length > LIMITS.handoffCharacters) {
    throw new AppError("project/archive", `The project takes ${formatBytes(fragment.length)} in an address, more than ${formatBytes(LIMITS.handoffCharacters)}. Save it as a zip and open that in the full page.`, {
      data: { neededBytes: fragment.length },
    });
  }
  return fragment;
}

/** What a fragment carries; undefined if it is no hand-off. Throws `project/archive` for one that is damaged or refused. */
export async function readHandoff(fragment: string): Promise<Handoff | undefined> {
  if (!fragment.startsWith(HANDOFF_MARK)) return undefined;
  if (fragment.length > LIMITS.handoffCharacters) throw damaged();
  const fields = new URLSearchParams(fragment.slice(1));
  const files = await readZip(fromBase64Url(fields.get("project") ?? ""));
  const open = fields.get("open") ?? "";
  return {
    name: (fields.get("name") ?? "").replaceAll(CONTROL, " ").slice(0, LIMITS.widgetWordCharacters).trim() || "project",
    files,
    open: files.has(open) ? open : "",
    prompt: (fields.get("prompt") ?? "").slice(0, LIMITS.widgetContextCharacters),
  };
}

/** Opens the project of the page's address, if there is one; the address is clean again afterwards, whatever was in it. */
export async function takeHandoff(session: Session): Promise<void> {
  const { hash, pathname, search } = location;
  history.replaceState(null, "", pathname + search);
  try {
    const handoff = await readHandoff(hash);
    if (!handoff) return;
    await session.project.openFiles(handoff.name, handoff.files, { kind: "handoff" });
    if (handoff.open) session.project.select(handoff.open);
    session.suggest(handoff.prompt);
  } catch (error) {
    session.report(error);
  }
}

function damaged(cause?: unknown): AppError {
  return new AppError("project/archive", "The project in this address is damaged or cut off. Go back and open it again, or ask for a zip.", { cause });
}

function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64Url(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw damaged(cause);
  }
}
