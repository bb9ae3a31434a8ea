// What survives a reload: the project, the chat's events and the checkpoints, in the browser's storage. Small settings too.
import type { AgentEvent } from "../agent/events.ts";
import type { CheckpointData } from "../project/checkpoints.ts";
import type { FileTree } from "../project/tree.ts";
import type { UndoStack } from "../project/undo-stack.ts";
import { openShelf, type Shelf } from "../storage/shelf.ts";
import type { Theme } from "./theme.ts";

export interface SavedSession {
  readonly name: string;
  readonly base: FileTree;
  readonly files: FileTree;
  readonly events: readonly AgentEvent[];
  readonly checkpoints: CheckpointData;
  readonly undo: UndoStack;
}

const CURRENT = "current";
const THEME = "theme";

export class SessionStore {
  readonly #sessions: Shelf<SavedSession>;
  readonly #settings: Shelf<unknown>;
  /** The newest state waiting to be written; older ones are skipped, none is written out of order. */
  #next: SavedSession | undefined;
  #writing: Promise<void> | undefined;

  private constructor(sessions: Shelf<SavedSession>, settings: Shelf<unknown>) {
    this.#sessions = sessions;
    this.#settings = settings;
  }

  /** Throws `storage/unavailable`. */
  static async open(): Promise<SessionStore> {
    return new SessionStore(await openShelf<SavedSession>("sessions"), await openShelf<unknown>("settings"));
  }

  load(): Promise<SavedSession | undefined> {
    return this.#sessions.get(CURRENT);
  }

  async theme(): Promise<Theme> {
    const theme = await this.#settings.get(THEME);
    return theme === "light" || theme === "dark" ? theme : "auto";
  }

  saveTheme(theme: Theme): Promise<void> {
    return this.#settings.put(THEME, theme);
  }

  /** Returns when this state, or a newer one, is durable. Throws `storage/quota`. */
  save(session: SavedSession): Promise<void> {
    this.#next = session;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#next) {
      const session = this.#next;
      this.#next = undefined;
      await this.#sessions.put(CURRENT, session);
    }
  }
}
