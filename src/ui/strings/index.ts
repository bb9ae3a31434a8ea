// What the page says, in the language that is chosen: one typed table, one file a section and language. The English of the
// first load is here; a part that is loaded later takes `t` from more.ts, which brings the rest. Another language is a
// chunk of its own. Components read `t()` while they render (src/ui/component.ts).
import { en } from "./en.ts";
import type { more } from "./en-more.ts";

/** The table's shape: a string for a string, a function with the same parameters for one with a hole in it. */
type Table<T> = T extends (...values: infer Values) => string ? (...values: Values) => string : T extends string ? string : { readonly [Key in keyof T]: Table<T[Key]> };
export type Strings = Table<typeof en & typeof more>;
/** Of the first load. */
export type FirstStrings = Table<typeof en>;

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

/** The whole table of the chosen language; undefined for English. */
let chosen: Strings | undefined;
let language: Language = "en";
const listeners = new Set<() => void>();

/** The table in use. Call it while rendering, never at module level: the language can change. */
export function t(): FirstStrings {
  return chosen ?? en;
}

/** For more.ts alone. */
export function chosenStrings(): Strings | undefined {
  return chosen;
}

export function currentLanguage(): Language {
  return language;
}

/** Returns the function that ends it. */
export function onLanguageChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The first language of the browser's list that we speak, else English. */
export function preferredLanguage(wanted: readonly string[]): Language {
  return wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((tag): tag is Language => tag !== undefined && tag in LANGUAGES) ?? "en";
}

/** Loads the table and has every component say itself again. `lang` of the document follows. */
export async function setLanguage(wanted: Language): Promise<void> {
  chosen = wanted === "de" ? (await import("./de.ts")).de : undefined;
  language = wanted;
  document.documentElement.lang = wanted;
  for (const listener of listeners) listener();
}
