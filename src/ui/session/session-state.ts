// Everything the page shows, as plain data. The session is the only writer.
import type { PlanItem } from "../../agent/plan.ts";
import type { Mode, ToolRule } from "../../agent/permission.ts";
import type { ToolCall } from "../../agent/events.ts";
import type { Attachment } from "../../agent/attachment.ts";
import type { DeviceReport, DownloadState, GenerationStats, LoadedModel, LoadProgress, ModelInfo } from "../../engine/api.ts";
import type { CheckpointKind } from "../../project/checkpoints.ts";
import type { FileDiff } from "../../project/diff.ts";
import type { FileTree } from "../../project/tree.ts";
import type { KnownFolder } from "../../project/write-back.ts";
import type { Incoming } from "../project/incoming.ts";
import type { Language } from "../strings/index.ts";
import type { ChatItem } from "../chat/chat-item.ts";
import type { Budget } from "../chat/draft.ts";
import type { CommandRecord } from "../work/terminal-panel.ts";
import type { OpenPort } from "../work/preview-panel.ts";
import type { TestsState } from "../work/tests-panel.ts";
import type { Theme } from "../theme.ts";

/** The panels of the right half, in the order of their tabs. */
export const PANELS = ["tests", "diff", "files", "terminal", "preview", "timeline"] as const;
/** One of `PANELS`. */
export type Panel = (typeof PANELS)[number];

/** Dialogs of the page; one is open at a time (src/ui/dialogs.ts). */
export const DIALOGS = ["open", "export", "history", "device", "download", "details", "offline", "practice", "rules", "shortcuts"] as const;
/** One of `DIALOGS`. */
export type DialogName = (typeof DIALOGS)[number];

/** A failure that is on the screen until it is dismissed. */
export interface Notice {
  readonly id: number;
  readonly title: string;
  readonly message: string;
  readonly next: string;
  /** Offers to load the model again with so many MB of GPU memory. */
  readonly smallerMb?: number;
  /** Offers to ask the user for the files of this model again. */
  readonly allow?: string;
  /** Offers to start the container again. */
  readonly restart?: true;
  /** What makes it no longer true: it goes then by itself. */
  readonly until?: "loaded" | "saved" | "booted";
  /** It tells of a delay, and not of a failure. */
  readonly passing?: true;
}

/** How far the engine is, and with which model. */
export interface EngineState {
  /** `waiting`: nothing is fetched before the page is first used (src/ui/intent.ts). */
  readonly phase: "waiting" | "starting" | "loading" | "ready" | "failed";
  readonly modelId: string;
  readonly progress?: LoadProgress;
  readonly loaded?: LoadedModel;
  /** The small model beside it, while there is one. */
  readonly helper?: LoadedModel;
  /** Another tab of this browser runs the engine. */
  readonly shared?: boolean;
  /** Of models, whichever tab began them. */
  readonly downloads?: readonly DownloadState[];
}

/** Where the project came from; a folder's handle allows writing back to it. */
export type ProjectOrigin =
  | { readonly kind: "demo" }
  | { readonly kind: "zip" | "paste" | "handoff" | "sample" }
  /** `known`: the folder's files as they were when it was last read or written. */
  | { readonly kind: "folder"; readonly handle?: FileSystemDirectoryHandle; readonly known?: KnownFolder }
  | { readonly kind: "github"; readonly repository: string; readonly commit: string; readonly folder: string };

/** The project that is open. */
export interface ProjectState {
  /** Of the workspace: what is kept of this project is kept under it. */
  readonly id: string;
  readonly name: string;
  readonly origin: ProjectOrigin;
  /** As it was opened: what changes are counted against. */
  readonly base: FileTree;
  readonly files: FileTree;
  /** The file that is open; empty for none. */
  readonly selected: string;
}

/** One state of the project in the timeline. */
export interface TimelineEntry {
  /** Of the checkpoint. */
  readonly id: string;
  readonly label: string;
  /** What made it, where that is known. */
  readonly kind?: CheckpointKind;
  /** ms since 1970. */
  readonly time: number;
  readonly current: boolean;
  /** What differs from the state recorded before it. */
  readonly paths: readonly string[];
  /** The exchange that was the chat's last when it was recorded; absent before the first. */
  readonly exchange?: string;
}

/** A message that waits until the assistant is free. */
export interface QueuedMessage {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** The whole state; a new object for each change. */
export interface SessionState {
  readonly engine: EngineState;
  readonly container: { readonly phase: "waiting" | "booting" | "ready" | "failed" };
  readonly models: readonly ModelInfo[];
  /** Undefined until the device was looked at. */
  readonly device: DeviceReport | undefined;
  readonly project: ProjectState;
  /** Of the chat that is shown. */
  readonly chatId: string;
  readonly items: readonly ChatItem[];
  readonly plan: readonly PlanItem[];
  readonly budget: Budget | undefined;
  readonly queue: readonly QueuedMessage[];
  readonly mode: Mode;
  readonly rules: readonly ToolRule[];
  /** The model that shall draft for the chosen one; empty for none. */
  readonly helper: string;
  /** Edits that are tried before one is kept; 1: none are. */
  readonly tries: number;
  /** What a page that sent the project would ask; empty for nothing. */
  readonly suggested: string;
  /** The call that waits for the user's word. */
  readonly permission: ToolCall | undefined;
  readonly activity: "idle" | "agent" | "tests" | "command" | "files";
  readonly tests: TestsState;
  readonly commands: readonly CommandRecord[];
  /** Where servers of the project listen, the newest last. */
  readonly ports: readonly OpenPort[];
  readonly timeline: readonly TimelineEntry[];
  /** Keys of the changes that were accepted: reviewed, no longer open (src/project/hunks.ts). */
  readonly reviewed: ReadonlySet<string>;
  /** Two states side by side in the Changes panel, instead of the changes since the project was opened. */
  readonly comparison: { readonly title: string; readonly changes: readonly FileDiff[] } | undefined;
  readonly stats: GenerationStats | undefined;
  readonly panel: Panel;
  readonly dialog: DialogName | undefined;
  /** What was dropped on the page: the Open dialog asks what shall become of it. */
  readonly incoming: Incoming | undefined;
  /** The address that the download dialog begins with; empty for none. */
  readonly wantedModel: string;
  readonly theme: Theme;
  readonly language: Language;
  readonly notices: readonly Notice[];
  /** The polite status line of the chat. */
  readonly spoken: string;
}

/** The state of a page that has just been opened on a project. */
export function initialState(project: Omit<ProjectState, "selected">, settings: Pick<SessionState, "theme" | "language" | "tries" | "helper">): SessionState {
  return {
    engine: { phase: "waiting", modelId: "" },
    container: { phase: "waiting" },
    models: [],
    device: undefined,
    project: { ...project, selected: "" },
    chatId: "",
    items: [],
    plan: [],
    budget: undefined,
    queue: [],
    mode: "auto",
    rules: [],
    suggested: "",
    permission: undefined,
    activity: "idle",
    tests: { phase: "none" },
    commands: [],
    ports: [],
    timeline: [],
    reviewed: new Set(),
    comparison: undefined,
    stats: undefined,
    panel: "tests",
    dialog: undefined,
    incoming: undefined,
    wantedModel: "",
    ...settings,
    notices: [],
    spoken: "",
  };
}
