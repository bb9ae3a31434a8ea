// The widget's own words, in the language in use.
import type { Strings } from "../strings/index.ts";
import { t } from "../strings/more.ts";

/** Call it while rendering. */
export function w(): Strings["embed"] {
  return t().embed;
}
