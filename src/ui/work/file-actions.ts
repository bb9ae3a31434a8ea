// What the files and changes panels ask of the session: each edit of files is one step that can be undone.
import type { FileDiff } from "../../project/diff.ts";
import { encodeText } from "../../project/text.ts";
import type { Session } from "../session/session.ts";
import { t } from "../strings/more.ts";
import { writtenOut } from "./visible-text.ts";

type Edits = ReadonlyMap<string, Uint8Array | undefined>;

export class FileActions {
  readonly #session: Session;
  /** Ends with the last edit that was asked for. */
  #writing: Promise<void> = Promise.resolve();

  constructor(session: Session) {
    this.#session = session;
  }

  create(path: string): Promise<void> {
    return this.#change(t().work.created(writtenOut(path)), new Map([[path, new Uint8Array()]]), path);
  }

  rename(from: string, to: string): Promise<void> {
    const bytes = this.#session.state.project.files.get(from);
    if (!bytes) return Promise.resolve();
    return this.#change(t().work.renamed(writtenOut(from), writtenOut(to)), new Map([[from, undefined], [to, bytes]]), to);
  }

  remove(paths: readonly string[]): Promise<void> {
    const { selected } = this.#session.state.project;
    const edits: Edits = new Map(paths.map((path) => [path, undefined]));
    return this.#change(t().work.deleted(writtenOut(paths[0] ?? ""), paths.length - 1), edits, paths.includes(selected) ? "" : selected);
  }

  edit(path: string, text: string): Promise<void> {
    return this.#write(t().work.edited(writtenOut(path)), new Map([[path, encodeText(text)]]));
  }

  /** Resolves when all edits that were asked for are written. */
  written(): Promise<void> {
    return this.#writing;
  }

  async accept(keys: readonly string[]): Promise<void> {
    await this.#session.project.review(keys, true);
    this.#session.say(t().work.accepted(keys.length));
  }

  /** The lines of these changes go back to what they were. */
  async reject(keys: readonly string[], changes: readonly FileDiff[]): Promise<void> {
    const { rejectionEdits } = await import("../../project/hunks.ts");
    const { base, files } = this.#session.state.project;
    const edits = rejectionEdits(base, files, changes, new Set(keys));
    await this.#write(t().work.rejected(keys.length), new Map(edits.map(({ path, bytes }) => [path, bytes])));
  }

  async #change(label: string, edits: Edits, selected: string): Promise<void> {
    await this.#write(label, edits);
    this.#session.project.select(selected);
  }

  /** One activity runs at a time, and an edit is never dropped: it waits for its turn. The session itself reports what fails. */
  #write(label: string, edits: Edits): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      do await this.#session.whenIdle();
      while (this.#session.state.activity !== "idle");
      await this.#session.project.change(label, edits);
    });
    return this.#writing;
  }
}
