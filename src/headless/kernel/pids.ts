// Process numbers. A process chooses its children's within a range of its own; below all ranges are those chosen here.
import { PIDS_PER_PROCESS } from "../protocol.ts";

/** Of the range of who has this slot. */
export function firstPidOf(slot: number): number {
  return PIDS_PER_PROCESS * (slot + 1);
}

export class Pids {
  #last = 0;

  /** What the parent asks for, if that is of its range; else the next below all ranges. */
  choose(isLive: (pid: number) => boolean, slot: number | undefined, asked: number | undefined): number {
    if (slot !== undefined && asked !== undefined && Math.floor(asked / PIDS_PER_PROCESS) === slot + 1 && !isLive(asked)) return asked;
    do this.#last = (this.#last % (PIDS_PER_PROCESS - 1)) + 1;
    while (isLive(this.#last));
    return this.#last;
  }
}
