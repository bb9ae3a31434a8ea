// One click takes back all that one request or command did to the files; another makes it again. A step is two
// checkpoints. Plain data and pure functions; the checkpoints themselves are never dropped.

/** What one request or command did to the files. */
export interface UndoStep {
  readonly label: string;
  /** Checkpoint ids. */
  readonly before: string;
  readonly after: string;
}

/** All steps, done and undone, oldest first. */
export interface UndoStack {
  readonly steps: readonly UndoStep[];
  /** Steps that are done; those after it are undone. */
  readonly done: number;
}

export const NO_STEPS: UndoStack = { steps: [], done: 0 };

/** A new step; steps that were undone can no longer be redone. */
export function pushStep(stack: UndoStack, step: UndoStep): UndoStack {
  const steps = [...stack.steps.slice(0, stack.done), step];
  return { steps, done: steps.length };
}

/**
 * As `pushStep`, but a step of the same label that goes on where the last one ended becomes one with it: saving a file
 * again and again while typing is undone at once. The caller decides how long that holds.
 */
export function joinStep(stack: UndoStack, step: UndoStep): UndoStack {
  const last = stack.steps[stack.done - 1];
  if (last?.label !== step.label || last.after !== step.before) return pushStep(stack, step);
  return pushStep({ ...stack, done: stack.done - 1 }, { ...step, before: last.before });
}

/** The checkpoint to restore and the stack after it; undefined when nothing is left to undo. */
export function undoStep(stack: UndoStack): { readonly restore: string; readonly stack: UndoStack } | undefined {
  const step = stack.steps[stack.done - 1];
  return step && { restore: step.before, stack: { ...stack, done: stack.done - 1 } };
}

/** The same for the step that was undone last; undefined when none is. */
export function redoStep(stack: UndoStack): { readonly restore: string; readonly stack: UndoStack } | undefined {
  const step = stack.steps[stack.done];
  return step && { restore: step.after, stack: { ...stack, done: stack.done + 1 } };
}
