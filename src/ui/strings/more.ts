// The whole table, for parts that are loaded after the first paint. Importing it from an earlier part loads it earlier: the
// build's budget notices.
import { en } from "./en.ts";
import { more } from "./en-more.ts";
import { chosenStrings, type Strings } from "./index.ts";

const english: Strings = { ...en, ...more };

/** As `t` of index.ts, with every section. */
export function t(): Strings {
  return chosenStrings() ?? english;
}
