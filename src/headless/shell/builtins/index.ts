// The shell's builtins: what changes the shell itself, or must run in it.
import type { ShellState } from "../state.ts";
import type { Assignment } from "../syntax.ts";
import { CONTROL } from "./control.ts";
import { DECLARING } from "./declaring.ts";
import { FOLDERS } from "./folders.ts";
import { INPUT } from "./input.ts";
import { JOBS } from "./jobs.ts";
import { OPTIONS } from "./options.ts";
import { OUTPUT } from "./output.ts";

/** Its status. `declarations`: words that are assignments, for those that declare. */
export type Builtin = (state: ShellState, args: readonly string[], declarations: readonly Assignment[]) => Promise<number> | number;

export const BUILTINS: Readonly<Record<string, Builtin>> & { readonly exit: Builtin } = Object.assign(Object.create(null), CONTROL, DECLARING, FOLDERS, INPUT, JOBS, OPTIONS, OUTPUT) as typeof CONTROL;
