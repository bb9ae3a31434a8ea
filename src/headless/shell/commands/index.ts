// Commands that are no builtins in bash and yet are the shell's own here: those that must stream, wait or run others.
import type { ShellState } from "../state.ts";
import { RUNNERS } from "./runners.ts";
import { AWK } from "./awk.ts";
import { CUT } from "./cut.ts";
import { DATE } from "./date.ts";
import { DIFF } from "./diff.ts";
import { DUMP } from "./dump.ts";
import { GREP } from "./grep.ts";
import { GZIP } from "./gzip.ts";
import { LESS } from "./less.ts";
import { LIST } from "./list.ts";
import { OPEN } from "./open.ts";
import { PS } from "./ps.ts";
import { PROCESS_GREP } from "./process-grep.ts";
import { REMOVE } from "./remove.ts";
import { SED } from "./sed.ts";
import { SEQUENCE } from "./sequence.ts";
import { SHUFFLE } from "./shuffle.ts";
import { SORT } from "./sort.ts";
import { STREAMS } from "./streams.ts";
import { SYSTEM } from "./system.ts";
import { TAR } from "./tar.ts";
import { TRANSLATE } from "./translate.ts";
import { WATCH } from "./watch.ts";
import { curl } from "../curl/curl.ts";

export type OwnCommand = (state: ShellState, args: readonly string[]) => Promise<number> | number;

export const COMMANDS: Readonly<Record<string, OwnCommand>> = Object.assign(Object.create(null), LIST, RUNNERS, AWK, CUT, DATE, DIFF, DUMP, GREP, GZIP, LESS, OPEN, PROCESS_GREP, PS, REMOVE, SED, SEQUENCE, SHUFFLE, SORT, STREAMS, SYSTEM, TAR, TRANSLATE, WATCH, { curl }) as Record<string, OwnCommand>;
