// From a family's draft to source text: chooses names and writing style.
import type { Draft, Family, Kind } from "./draft.ts";
import { FIELD_NAMES, LOCAL_NAMES, PARAMETER_NAMES } from "./names.ts";
import type { Random } from "./random.ts";
import type { Side, WordSource } from "./words.ts";

/** A function as a file: its text, its name, and what its arguments are. */
export interface Rendered {
  readonly family: string;
  readonly name: string;
  /** kebab-case, without `.js`. */
  readonly fileName: string;
  readonly source: string;
  readonly params: readonly Kind[];
  readonly fields: readonly { readonly name: string; readonly kind: "int" | "flag" | "word" }[];
  /** Every identifier chosen here, for checks that training and held-out sets share none. */
  readonly identifiers: readonly string[];
}

/** How often training takes a name from the wide pool instead of the usual ones, so that copying is learnt. */
const WIDE = { parameter: 0.4, local: 0.35, field: 0.5, noun: 0.5 };

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
const uncapital = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1);

/** `sumEvenPrices` → `sum-even-prices`. */
export function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Za-z])(\d)/g, "$1-$2")
    .toLowerCase();
}

/** Writes a function of this family. Held-out names come from held-out words only. */
export function render(family: Family, side: Side, words: WordSource, random: Random): Rendered {
  const draft = family.draft(random);
  const used = new Set<string>();
  const draw = (usual: readonly string[], wide: number): string => {
    for (let attempt = 0; ; attempt++) {
      const fromUsual = side === "train" && !random.chance(wide) && attempt < 12;
      const word = fromUsual ? random.pick(usual) : random.chance(0.04) ? words.wide(random) + capital(words.wide(random)) : words.wide(random);
      if (used.has(word)) continue;
      used.add(word);
      return word;
    }
  };
  const names = new Map<string, string>();
  const fields = (draft.fields ?? []).map((kind, i) => {
    const name = draw(FIELD_NAMES[kind], WIDE.field);
    names.set(i === 0 ? "F" : "G", name);
    return { name, kind };
  });
  const fieldCapital = (stem: string): string => stem.replace(/\$([FG])/g, (_, key: string) => capital(names.get(key)!));
  const name = functionName(uncapital(fieldCapital(draft.stem)), draft, side, words, random, used);
  draft.params.forEach((kind, i) => names.set(String(i + 1), draw(PARAMETER_NAMES[kind], WIDE.parameter)));
  const local = (key: string): string => {
    const known = names.get(key);
    if (known !== undefined) return known;
    const made = draw(LOCAL_NAMES[key.charAt(0)]!, WIDE.local);
    names.set(key, made);
    return made;
  };
  const lines = style(draft, random).map((line) => line.replace(/\$([A-Za-z]|\d)/g, (_, key: string) => local(key)));
  const parameters = draft.params.map((_, i) => names.get(String(i + 1))!);
  return {
    family: family.id,
    name,
    fileName: kebab(name),
    source: wrapFunction(name, parameters, lines, random),
    params: draft.params,
    fields,
    identifiers: [...names.values()],
  };
}

function functionName(stem: string, draft: Draft, side: Side, words: WordSource, random: Random, used: Set<string>): string {
  const plural = ["ints", "words", "records", "flags"].includes(draft.params[0]!);
  for (let attempt = 0; ; attempt++) {
    // Without a noun a held-out name would equal a trained one.
    const bare = side === "train" && (stem.length > 20 || random.chance(0.25));
    const noun = side === "train" && !random.chance(WIDE.noun) ? words.noun(random) : words.wide(random);
    const name = bare ? stem : stem + capital(noun) + (plural && !noun.endsWith("s") && random.chance(0.4) ? "s" : "");
    if ((name.length > 30 && attempt < 8) || used.has(name) || /^(not|delete|new|in|of)$/.test(name)) continue;
    used.add(name);
    return name;
  }
}

/** Loops and small forms are written in one of several ways. */
function style(draft: Draft, random: Random): string[] {
  let lines = draft.body.split("\n");
  for (;;) {
    const at = lines.findIndex((line) => line.trimStart().startsWith("each "));
    if (at < 0) break;
    lines = expandLoop(lines, at, random);
  }
  const brief = random.chance(0.2);
  const step = random.chance(0.5);
  const text = lines.join("\n").replace(/inc (\$\w);/g, (_, name: string) => (step ? `${name} += 1;` : `${name}++;`));
  // `if (x) {⏎ return y;⏎}` as one line, in some files.
  return (brief ? text.replace(/(if \(.*\)) \{\n\s+((?:return|continue|break)[^\n{}]*;)\n\s*\}(?=\n|$)/g, "$1 $2") : text).split("\n");
}

function expandLoop(lines: readonly string[], at: number, random: Random): string[] {
  const [, indent = "", element = "", list = ""] = /^(\s*)each (\$\w) of (.+) \{$/.exec(lines[at]!)!;
  const end = lines.findIndex((line, i) => i > at && line === `${indent}}`);
  const [before, inner, after] = [lines.slice(0, at), lines.slice(at + 1, end), lines.slice(end + 1)];
  const used = new Set(lines.join("\n").match(/\$\w/g));
  const index = used.has("$i") ? "$j" : "$i";
  const form = random.next();
  const plain = (head: string[], body: readonly string[], close = "}"): string[] => [...before, ...head, ...body, `${indent}${close}`, ...after];
  if (form < 0.5) return plain([`${indent}for (const ${element} of ${list}) {`], inner);
  const counted = `${indent}for (let ${index} = 0; ${index} < ${list}.length; ${index}++) {`;
  if (form < 0.68) return plain([counted, `${indent}  const ${element} = ${list}[${index}];`], inner);
  if (form < 0.88) return plain([counted], inner.map((line) => line.replaceAll(element, `${list}[${index}]`)));
  const leaves = inner.some((line) => /\b(return|continue|break)\b/.test(line));
  if (leaves) return plain([`${indent}for (const ${element} of ${list}) {`], inner);
  return plain([`${indent}${list}.forEach((${element}) => {`], inner, "});");
}

function wrapFunction(name: string, parameters: readonly string[], lines: readonly string[], random: Random): string {
  const list = parameters.join(", ");
  const only = lines.length === 1 ? /^return ([^{].*);$/.exec(lines[0]!) : null;
  const body = lines.map((line) => `  ${line}\n`).join("");
  const form = random.next();
  if (form < 0.2) return only && form < 0.15 ? `export const ${name} = (${list}) => ${only[1]};\n` : `export const ${name} = (${list}) => {\n${body}};\n`;
  if (form < 0.28) return `function ${name}(${list}) {\n${body}}\n\nexport { ${name} };\n`;
  return `export function ${name}(${list}) {\n${body}}\n`;
}
