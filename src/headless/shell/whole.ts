// Whether a text is a script already, or wants more lines.
import { parseScript, ShellSyntaxError, unterminated } from "./syntax.ts";

/** Whether more lines could not change what it means. */
export function isWhole(text: string): boolean {
  try {
    parseScript(text);
    return !unterminated.has(text);
  } catch (error) {
    return !(error instanceof ShellSyntaxError && error.incomplete);
  }
}
