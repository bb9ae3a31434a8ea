// Calls a task and tells of what it throws. In a browser the engine also says where, which no `catch` can know of a value
// that is no error: what a listener throws is reported to the global "error" event before `dispatchEvent` returns.

/** A place in code as it ran. */
export interface RawPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Attempt = (task: () => void, onError: (error: unknown, place?: RawPlace) => void) => void;

interface Frame {
  readonly onError: (error: unknown, place?: RawPlace) => void;
  /** The task itself has thrown, so the next report is about it and not about a listener that it called. */
  threw: boolean;
}

interface Report {
  readonly error: unknown;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  preventDefault(): void;
  stopImmediatePropagation(): void;
}

const scope = globalThis as { addEventListener?: (type: "error", listener: (report: Report) => void) => void; EventTarget?: typeof EventTarget };

export const attempt: Attempt = typeof scope.addEventListener === "function" ? attemptInBrowser(scope.addEventListener.bind(globalThis)) : attemptHere;

function attemptHere(task: () => void, onError: (error: unknown) => void): void {
  try {
    task();
  } catch (error) {
    onError(error);
  }
}

function attemptInBrowser(listen: (type: "error", listener: (report: Report) => void) => void): Attempt {
  const frames: Frame[] = [];
  listen("error", (report) => {
    const frame = frames.at(-1);
    if (!frame?.threw) return;
    report.preventDefault();
    report.stopImmediatePropagation();
    frames.pop();
    frame.onError(report.error, { file: report.filename, line: report.lineno, column: report.colno });
  });
  return (task, onError) => {
    const target = new EventTarget();
    const frame: Frame = { onError, threw: false };
    const depth = frames.length;
    target.addEventListener("attempt", () => {
      let done = false;
      try {
        task();
        done = true;
      } finally {
        frame.threw = !done;
      }
    });
    frames.push(frame);
    try {
      target.dispatchEvent(new Event("attempt"));
    } finally {
      frames.length = depth;
    }
  };
}
