// Everything the page shows, as plain data. The session is the only writer.
import type { GenerationStats, LoadedModel, LoadProgress, ModelInfo } from "../engine/api.ts";
import type { FileTree } from "../project/tree.ts";
import type { ChatItem } from "./chat-item.ts";
import type { CommandRecord } from "./terminal-panel.ts";
import type { TestsState } from "./tests-panel.ts";
import type { Theme } from "./theme.ts";

export const PANELS = ["tests", "diff", "files", "terminal"] as const;
export type Panel = (typeof PANELS)[number];

export interface Notice {
  readonly id: number;
  readonly title: string;
  readonly message: string;
  readonly next: string;
}

export interface EngineState {
  readonly phase: "starting" | "loading" | "ready" | "failed";
  readonly modelId: string;
  readonly progress?: LoadProgress;
  readonly loaded?: LoadedModel;
}

export interface ProjectState {
  readonly name: string;
  /** As it was opened: what changes are counted against. */
  readonly base: FileTree;
  readonly files: FileTree;
  readonly selected: string;
}

export interface SessionState {
  readonly engine: EngineState;
  readonly container: { readonly phase: "booting" | "ready" | "failed" };
  readonly models: readonly ModelInfo[];
  readonly project: ProjectState;
  readonly items: readonly ChatItem[];
  readonly activity: "idle" | "agent" | "tests" | "command" | "files";
  readonly tests: TestsState;
  readonly commands: readonly CommandRecord[];
  readonly stats: GenerationStats | undefined;
  readonly panel: Panel;
  readonly theme: Theme;
  readonly notices: readonly Notice[];
  /** The polite status line of the chat. */
  readonly spoken: string;
}

/** The state of a page that has just been opened on a project. */
export function initialState(name: string, base: FileTree, files: FileTree, theme: Theme): SessionState {
  return {
    engine: { phase: "starting", modelId: "" },
    container: { phase: "booting" },
    models: [],
    project: { name, base, files, selected: "" },
    items: [],
    activity: "idle",
    tests: { phase: "none" },
    commands: [],
    stats: undefined,
    panel: "tests",
    theme,
    notices: [],
    spoken: "",
  };
}
