// The widget's session: a workspace of its own for each sample of each site, so that a reader who comes back finds what
// they did, and a sample that its author has changed begins anew.
import type { Setup } from "../../embed/protocol.ts";
import type { SessionParts } from "../session/core.ts";
import { Session } from "../session/session.ts";
import { sampleProject } from "./sample-project.ts";

/** Throws `project/archive` for files that are refused. */
export async function openWidgetSession(setup: Setup, hostOrigin: string, parts: SessionParts): Promise<Session> {
  const files = sampleProject(setup.name, setup.files, setup.samples);
  const id = `widget-${await fingerprint([hostOrigin, setup.name, setup.files, setup.samples])}`;
  const project = { id, name: setup.name || "Tabwright", origin: { kind: "sample" } as const, base: files, files };
  const session = await Session.begin(parts, project, { theme: setup.theme, language: setup.language });
  if (session.state.project.selected === "" && files.has(setup.open)) session.project.select(setup.open);
  session.suggest(setup.prompt);
  return session;
}

async function fingerprint(value: unknown): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value)));
  return [...new Uint8Array(digest, 0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
