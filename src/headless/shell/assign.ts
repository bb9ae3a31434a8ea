// Assignments: text, elements, lists, `+=`, integers; in front of a command, alone, or as words of `declare` and `local`.
import { calculate, calculateNow, elementKey, expandText, expandWords } from "./expand.ts";
import type { ShellState } from "./state.ts";
import type { Assignment, WordNode, WordPart } from "./syntax.ts";
import { makeList } from "./variables.ts";

/** Throws ReadonlyError, ExpansionError. */
export async function assign(state: ShellState, { name, value, append, array }: Assignment): Promise<void> {
  const { vars } = state;
  if (array) return assignList(state, name, array, append);
  const text = value ? await expandText(state, value) : "";
  const match = /^(\w+)\[([^]*)\]$/.exec(name);
  if (match) {
    const [, base = "", index = ""] = match;
    const key = await elementKey(state, base, index);
    return vars.setElement(base, key, combined(state, base, append ? vars.getElement(base, key) : undefined, text));
  }
  vars.set(name, combined(state, name, append ? vars.get(name) : undefined, text));
  if (state.options.has("allexport")) vars.declared(name).exported = true;
}

function combined(state: ShellState, name: string, old: string | undefined, text: string): string {
  if (state.vars.find(name)?.integer !== true) return (old ?? "") + text;
  const value = calculateNow(state, text);
  return String(BigInt.asIntN(64, (old === undefined || old === "" ? 0n : calculateNow(state, old)) + value));
}

/** `(a b [5]=c)` */
async function assignList(state: ShellState, name: string, words: readonly WordNode[], append: boolean): Promise<void> {
  const { vars } = state;
  const held = vars.writable(name);
  if (append && held.kind === "text") makeList(held);
  const entries: (readonly [string, string])[] = append ? [...vars.entries(name)] : [];
  let next = entries.reduce((most, [key]) => Math.max(most, Number(key) + 1), 0);
  for (const word of words) {
    const element = splitElement(word);
    if (element) {
      const key = held.kind === "map" ? await expandText(state, element.key) : String(await calculate(state, await expandText(state, element.key)));
      const text = await expandText(state, element.value);
      const old = element.append ? entries.findLast(([known]) => known === key)?.[1] : undefined;
      entries.push([key, combined(state, name, old, text)]);
      next = Number(key) + 1;
      continue;
    }
    for (const text of await expandWords(state, [word])) entries.push([String(next++), combined(state, name, undefined, text)]);
  }
  if (held.kind === "map" && words.length > 0 && !words.some((word) => splitElement(word))) {
    // `declare -A m=(key value …)`
    const texts = entries.map(([, text]) => text);
    return vars.setAll(name, texts.flatMap((key, i) => (i % 2 === 0 ? [[key, texts[i + 1] ?? ""] as const] : [])));
  }
  vars.setAll(name, entries);
}

/** `[key]=value`, whose key the parser gives as a pattern or in pieces. */
function splitElement(word: WordNode): { readonly key: WordNode; readonly value: WordNode; readonly append: boolean } | undefined {
  const [first] = word.parts;
  const opening = first?.type === "Glob" ? first.pattern : first?.type === "Literal" ? first.value : "";
  if (!opening.startsWith("[")) return undefined;
  const key: WordPart[] = [];
  for (const [i, part] of word.parts.entries()) {
    let text = part.type === "Glob" ? part.pattern : part.type === "Literal" ? part.value : undefined;
    if (i === 0) text = opening.slice(1);
    const end = text === undefined ? -1 : text.indexOf("]");
    if (text === undefined || end < 0) {
      key.push(text === undefined ? part : literal(text));
      continue;
    }
    key.push(literal(text.slice(0, end)));
    const rest = text.slice(end + 1);
    const [second] = word.parts.slice(i + 1);
    const joint = rest !== "" ? rest : second?.type === "Literal" ? second.value : "";
    const match = /^(\+?)=/.exec(joint);
    if (!match) return undefined;
    const after = joint.slice(match[0].length);
    return { key: { type: "Word", parts: key.filter((part) => part.type !== "Literal" || part.value !== "") }, append: match[1] === "+", value: { type: "Word", parts: [...(after === "" ? [] : [literal(after)]), ...word.parts.slice(i + (rest !== "" ? 1 : 2))] } };
  }
  return undefined;
}

function literal(value: string): WordPart {
  return { type: "Literal", value };
}

/** A word of `declare`, `local`, `export` or `readonly` as an assignment, if it is one: its value is not split. */
export function assignmentWord(word: WordNode): Assignment | undefined {
  const [first, ...rest] = word.parts;
  if (first?.type !== "Literal") return undefined;
  const match = /^([A-Za-z_]\w*(?:\[[^\]]*\])?)(\+?)=([^]*)$/.exec(first.value);
  if (!match) return undefined;
  const [, name = "", plus = "", text = ""] = match;
  const parts: WordPart[] = [...(text === "" ? [] : [literal(text)]), ...rest];
  const base = { type: "Assignment" as const, name, append: plus === "+" };
  const last = parts.at(-1);
  if (!text.startsWith("(") || last?.type !== "Literal" || !last.value.endsWith(")")) return { ...base, value: { type: "Word", parts }, array: null };
  const inner = [...parts];
  inner[0] = literal(text.slice(1));
  const end = inner.at(-1);
  if (end?.type === "Literal") inner[inner.length - 1] = literal(end.value.slice(0, -1));
  return { ...base, value: null, array: splitWords(inner) };
}

/** At the white space that is not quoted. */
function splitWords(parts: readonly WordPart[]): WordNode[] {
  const words: WordPart[][] = [];
  let current: WordPart[] | undefined;
  for (const part of parts) {
    if (part.type !== "Literal") {
      (current ??= []).push(part);
      continue;
    }
    for (const piece of part.value.split(/(\s+)/)) {
      if (piece === "") continue;
      if (/^\s+$/.test(piece)) {
        if (current) words.push(current);
        current = undefined;
      } else (current ??= []).push(literal(piece));
    }
  }
  if (current) words.push(current);
  return words.map((list) => ({ type: "Word", parts: list }));
}
