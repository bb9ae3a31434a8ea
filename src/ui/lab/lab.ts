// The hook that the commands drive: loaded only with `?lab`, never in normal use. Each room adds its part from its own file.
import { type BenchLab, benchLab } from "./lab-bench.ts";
import { containerLab, type ContainerLab } from "./lab-container.ts";
import { type EngineLab, engineLab } from "./lab-engine.ts";
import { type SolveLab, solveLab } from "./lab-solve.ts";
import { type TasksLab, tasksLab } from "./lab-tasks.ts";
import { type StreamingLab, streamingLab } from "./lab-streaming.ts";
import type { Session } from "../session/session.ts";

export interface Lab {
  readonly bench: BenchLab;
  readonly container: ContainerLab;
  readonly engine: EngineLab;
  readonly solve: SolveLab;
  readonly streaming: StreamingLab;
  readonly tasks: TasksLab;
}

/** Nothing is started: the command decides whether the engine, the container or the whole session is needed. */
export function openLab(session: Session): void {
  const lab: Lab = { bench: benchLab, container: containerLab, engine: engineLab(), solve: solveLab(session), streaming: streamingLab, tasks: tasksLab };
  Object.assign(globalThis, { tabwrightLab: lab });
}
