// What survives a reload, in the browser's storage: workspaces (a project with its states), the chats in them, settings.
// Two tabs never write the same workspace: each holds a Web Lock on the one it has open.
import type { Conversation } from "../../agent/conversation.ts";
import { EMPTY_CONVERSATION } from "../../agent/conversation.ts";
import type { AgentEvent } from "../../agent/events.ts";
import type { Mode, ToolRule } from "../../agent/permission.ts";
import type { CheckpointData } from "../../project/checkpoints.ts";
import type { FileTree } from "../../project/tree.ts";
import { NO_STEPS, type UndoStack } from "../../project/undo-stack.ts";
import { openShelf, type Shelf } from "../../storage/shelf.ts";
import { noteKept } from "../offline/eviction.ts";
import type { Language } from "../strings/index.ts";
import type { Theme } from "../theme.ts";
import { SerialWriter } from "./serial-writer.ts";
import type { ProjectOrigin } from "./session-state.ts";

/** A project as it was left. */
export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly origin: ProjectOrigin;
  readonly base: FileTree;
  readonly files: FileTree;
  readonly undo: UndoStack;
  /** Checkpoint id → the exchange that was the chat's last when it was recorded. */
  readonly exchanges: Readonly<Record<string, string>>;
  readonly mode: Mode;
  readonly rules: readonly ToolRule[];
  /** Keys of accepted changes (src/project/hunks.ts). */
  readonly reviewed?: readonly string[];
  /** The chat that was shown. */
  readonly chatId: string;
  /** ms since 1970. */
  readonly time: number;
  /** Not stored with it: what was kept of its files after it was stored, or beside their bytes. */
  readonly image?: ProjectImage;
}

/** A project's files as the container had them (LiveProject of src/container/sandbox.ts). */
export interface ProjectImage {
  readonly bytes: Uint8Array;
  /** It had a node_modules, which is made again from the packages that this browser keeps. */
  readonly hasPackages: boolean;
  /** ms since 1970. */
  readonly time: number;
}

/** A chat with all its branches, as it is stored. */
export interface StoredChat {
  readonly id: string;
  /** Of the workspace it was held in, and its name then. */
  readonly workspace: string;
  readonly project: string;
  readonly title: string;
  /** ms since 1970. */
  readonly time: number;
  readonly conversation: Conversation;
}

/** What a user has chosen for the page, whatever project is open. */
export interface Settings {
  readonly theme: Theme;
  /** Absent: the browser's. */
  readonly language?: Language;
  /** Absent: 1. */
  readonly tries?: number;
  /** The model that drafts for the chosen one; absent: none. */
  readonly helper?: string;
  /** The workspace that was open last. */
  readonly workspace?: string;
  /** "on": the user keeps a log of corrections. */
  readonly corrections?: string;
}

/** Tries per edit that can be chosen; 1 is off. */
export const TRIES: readonly number[] = [1, 2, 4, 8];

/** What a page of version 0.1.0 stored: one session under the key "current". */
interface FirstVersion {
  readonly name: string;
  readonly base: FileTree;
  readonly files: FileTree;
  readonly events: readonly AgentEvent[];
  readonly checkpoints: CheckpointData;
  readonly undo: UndoStack;
}

const FIRST_VERSION = "current";
/** Before the id of a chat: where its title is kept, if the user has given it one. */
const CHAT_NAME = "chat-name ";

/** After the id of a workspace: where its image lies among the checkpoints. */
const IMAGE = " image";
/** The same of what was typed at its terminal (src/ui/work/terminal-history.ts keeps it there). */
export const HISTORY = " history";

function named(chat: StoredChat, name: unknown): StoredChat {
  return typeof name === "string" ? { ...chat, title: name } : chat;
}

export class SessionStore {
  readonly #workspaces: Shelf<Workspace>;
  readonly #checkpoints: Shelf<CheckpointData>;
  readonly #chats: Shelf<StoredChat>;
  readonly #settings: Shelf<unknown>;
  readonly #images: Shelf<ProjectImage>;
  readonly #writer = new SerialWriter();

  private constructor(workspaces: Shelf<Workspace>, checkpoints: Shelf<CheckpointData>, chats: Shelf<StoredChat>, settings: Shelf<unknown>, images: Shelf<ProjectImage>) {
    this.#workspaces = workspaces;
    this.#checkpoints = checkpoints;
    this.#chats = chats;
    this.#settings = settings;
    this.#images = images;
  }

  /** Throws `storage/unavailable`. */
  static async open(): Promise<SessionStore> {
    const store = new SessionStore(await openShelf("projects"), await openShelf("checkpoints"), await openShelf("sessions"), await openShelf("settings"), await openShelf("checkpoints"));
    await store.#convertFirstVersion();
    return store;
  }

  async settings(): Promise<Settings> {
    const [theme, language, workspace, tries, helper, corrections] = await Promise.all(["theme", "language", "workspace", "tries", "helper", "corrections"].map((name) => this.#settings.get(name)));
    return {
      theme: theme === "light" || theme === "dark" ? theme : "auto",
      ...(language === "en" || language === "de" ? { language } : {}),
      ...(typeof workspace === "string" ? { workspace } : {}),
      ...(typeof helper === "string" ? { helper } : {}),
      ...(TRIES.includes(Number(tries)) ? { tries: Number(tries) } : {}),
      ...(corrections === "on" ? { corrections } : {}),
    };
  }

  saveSetting(name: keyof Settings, value: string): Promise<void> {
    return this.#settings.put(name, value);
  }

  /** With the files that were in the container last, also where the page ended in the middle of a command. */
  async workspace(id: string): Promise<Workspace | undefined> {
    const [workspace, image] = await Promise.all([this.#workspaces.get(id), this.#images.get(id + IMAGE)]);
    if (!workspace || !image || image.time < workspace.time) return workspace;
    const { decodeTree } = await import("../../container/snapshot.ts");
    return { ...workspace, files: decodeTree(image.bytes), image };
  }

  /** One write: a crash in it leaves the image before. */
  saveImage(workspace: string, image: ProjectImage): Promise<void> {
    return this.#writer.write(`image ${workspace}`, () => this.#images.put(workspace + IMAGE, image));
  }

  /** Newest first. */
  async workspaces(): Promise<readonly Workspace[]> {
    return (await this.#workspaces.list()).map(([, workspace]) => workspace).sort((a, b) => b.time - a.time);
  }

  checkpoints(workspace: string): Promise<CheckpointData | undefined> {
    return this.#checkpoints.get(workspace);
  }

  /** Returns when this state, or a newer one of the same workspace, is durable. Throws `storage/quota`. */
  saveWorkspace(workspace: Workspace): Promise<void> {
    return this.#writer.write(`workspace ${workspace.id}`, () => this.#workspaces.put(workspace.id, workspace)).then(() => noteKept(workspace.name));
  }

  saveCheckpoints(workspace: string, data: CheckpointData): Promise<void> {
    return this.#writer.write(`checkpoints ${workspace}`, () => this.#checkpoints.put(workspace, data));
  }

  /** With its checkpoints; its chats stay and can be read. */
  async removeWorkspace(id: string): Promise<void> {
    for (const kept of [IMAGE, HISTORY]) await this.#images.delete(id + kept);
    await this.#checkpoints.delete(id);
    await this.#workspaces.delete(id);
  }

  async chat(id: string): Promise<StoredChat | undefined> {
    const [chat, name] = await Promise.all([this.#chats.get(id), this.#settings.get(CHAT_NAME + id)]);
    return chat && named(chat, name);
  }

  /** Newest first. */
  async chats(): Promise<readonly StoredChat[]> {
    const [chats, names] = await Promise.all([this.#chats.list("chat-"), this.#settings.list(CHAT_NAME)]);
    const given = new Map(names);
    return chats.map(([id, chat]) => named(chat, given.get(CHAT_NAME + id))).sort((a, b) => b.time - a.time);
  }

  saveChat(chat: StoredChat): Promise<void> {
    return this.#writer.write(`chat ${chat.id}`, () => this.#chats.put(chat.id, chat));
  }

  /** Gives a chat a title of the user's own; it stays when the chat goes on. */
  nameChat(id: string, title: string): Promise<void> {
    return this.#settings.put(CHAT_NAME + id, title);
  }

  async removeChat(id: string): Promise<void> {
    await this.#chats.delete(id);
    await this.#settings.delete(CHAT_NAME + id);
  }

  async #convertFirstVersion(): Promise<void> {
    const old = (await this.#chats.get(FIRST_VERSION)) as unknown as FirstVersion | undefined;
    if (!old) return;
    const [workspace, chat, time] = [newId("workspace"), newId("chat"), Date.now()];
    const conversation = old.events.length > 0 ? { exchanges: [{ id: "1", time, events: old.events }], head: "1" } : EMPTY_CONVERSATION;
    await this.saveChat({ id: chat, workspace, project: old.name, title: old.name, time, conversation });
    await this.saveCheckpoints(workspace, old.checkpoints);
    await this.saveWorkspace({ id: workspace, name: old.name, origin: { kind: "zip" }, base: old.base, files: old.files, undo: old.undo ?? NO_STEPS, exchanges: {}, mode: "auto", rules: [], chatId: chat, time });
    await this.saveSetting("workspace", workspace);
    await this.#chats.delete(FIRST_VERSION);
  }
}

/** "chat-…" or "workspace-…": unique, and in the order they were made. */
export function newId(kind: "chat" | "workspace"): string {
  return `${kind}-${Date.now().toString(36)}-${crypto.randomUUID().slice(0, 8)}`;
}

/** Holds the workspace for this tab until the function returned is called or the tab ends; undefined if another tab has it. */
export function holdWorkspace(id: string): Promise<(() => void) | undefined> {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  const held = Promise.withResolvers<void>();
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(`tabwright-${id}`, { ifAvailable: true }, (lock) => {
        resolve(lock ? held.resolve : undefined);
        return lock ? held.promise : undefined;
      })
      .catch(reject);
  });
}
