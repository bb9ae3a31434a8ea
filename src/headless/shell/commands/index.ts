// Commands that are no builtins in bash and yet are the shell's own here: those that must stream, wait or run others.
import type { ShellState } from "../state.ts";
import { RUNNERS } from "./runners.ts";
import { LIST } from "./list.ts";
import { CUT } from "./cut.ts";
import { LESS } from "./less.ts";
import { OPEN } from "./open.ts";
import { PS } from "./ps.ts";
import { STREAMS } from "./streams.ts";
import { SYSTEM } from "./system.ts";
import { WATCH } from "./watch.ts";
import { curl } from "../curl/curl.ts";

export type OwnCommand = (state: ShellState, args: readonly string[]) => Promise<number> | number;

export const COMMANDS: Readonly<Record<string, OwnCommand>> = Object.assign(Object.create(null), LIST, RUNNERS, CUT, LESS, OPEN, PS, STREAMS, SYSTEM, WATCH, { curl }) as Record<string, OwnCommand>;
