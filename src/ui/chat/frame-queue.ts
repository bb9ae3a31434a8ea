// Work that must not hold up a frame: jobs are done in slices, a few milliseconds of each frame for all of them
// together, the newest first (in a chat that is the one in view).

/** Does a part of the work until `deadline` (of performance.now); true if there is more. */
export type FrameJob = (deadline: number) => boolean;

const SLICE_MS = 8;
const jobs: FrameJob[] = [];
let scheduled = false;

/** Adds a job; one that is waiting already stays where it is. */
export function queueForFrame(job: FrameJob): void {
  if (!jobs.includes(job)) jobs.push(job);
  schedule();
}

/** Takes a job out; one that does not wait is none. */
export function dropFromQueue(job: FrameJob): void {
  const at = jobs.indexOf(job);
  if (at >= 0) jobs.splice(at, 1);
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    const deadline = performance.now() + SLICE_MS;
    try {
      do {
        const job = jobs.pop();
        if (job?.(deadline)) jobs.push(job);
      } while (jobs.length > 0 && performance.now() < deadline);
    } finally {
      if (jobs.length > 0) schedule(); // a job that throws takes no other with it
    }
  });
}
