// What some adapters need that others do not. Each with its reason and how to know that it can go.

/**
 * True for adapters that compute on the CPU. There a barrier is a switch of coroutines and a lane is a quarter of a SIMD
 * register, so kernels use fewer lanes a row. (SwiftShader in Chromium 156, 2026-11-22: decode of the bundled model.)
 */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(`${info.vendor} ${info.architecture} ${info.device} ${info.description}`);
}

/**
 * True where a finished map is told by a timer of 100 ms and not when it is finished: Firefox, POLL_TIME_MS in
 * dom/webgpu/ipc/WebGPUParent.cpp, https://bugzilla.mozilla.org/show_bug.cgi?id=1870699 (open on 2026-11-26). Awaiting an idle
 * queue takes 103 ms there and 0.07 in Chrome (ekzhang/jax-js, pull request 124: Firefox 153). It can go when that bug is
 * closed. Firefox itself was not run here.
 */
export function hasSlowMaps(userAgent: string): boolean {
  return /\bFirefox\//.test(userAgent) && !/Seamonkey/i.test(userAgent);
}

/** Submitting this often is what the others found to help; on every turn of the event loop it floods the GPU process. */
const NUDGE_MS = 1;
/** Below this a wait is likely to be short: look on every task. After it, timers, which browsers clamp to about 5 ms. */
const BUSY_MS = 20;
const BACK_OFF_MS = 5;
/** A lost device never answers: stop submitting into it. */
const DEADLINE_MS = 1000;

export interface Nudging {
  readonly submitNothing: () => void;
  readonly now: () => number;
  /** Resolves on the next task, without a timer's clamp. */
  readonly nextTask: () => Promise<void>;
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * Awaits `map` and meanwhile submits empty work: each submission makes Firefox look at what is finished (comment 6 of that bug),
 * which brought a wait of 103 ms down to about 1.4 on an M1 (jax-js).
 */
export async function nudgeUntil(map: Promise<unknown>, { submitNothing, now, nextTask, wait }: Nudging): Promise<void> {
  const state = { settled: false };
  const ended = map.finally(() => (state.settled = true));
  ended.catch(() => undefined); // the caller gets it below
  await nextTask(); // a map that is finished already costs no submission
  const started = now();
  for (let nudged = -Infinity; !state.settled && now() - started < DEADLINE_MS; ) {
    if (now() - nudged >= NUDGE_MS) {
      nudged = now();
      submitNothing();
    }
    await (now() - started < BUSY_MS ? nextTask() : wait(BACK_OFF_MS));
  }
  await ended;
}
