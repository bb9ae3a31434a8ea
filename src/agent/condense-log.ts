// A long output, condensed by the small model so that the large one need not read it whole. The small one only names lines, and
// they are quoted: it can leave something out, and is said to have, but cannot say what was not printed.
import { LIMITS } from "../base/limits.ts";
import type { TextModel } from "../engine/api.ts";
import { cutMiddle } from "./test-output.ts";

const PROMPT = `You are shown the output of a command, its lines numbered. Answer with the numbers of the lines that matter most to whoever must fix what went wrong, or wants the result: errors, their places, totals. At most ${LIMITS.condensedLines} lines, such as: 3, 7-9. Nothing else.`;
const ANSWER_TOKENS = 64;

/** The first line of `text`, which says how the command ended, and the lines that `helper` chose; undefined where its answer is of no use, or nothing would be saved. */
export async function condenseLog({ model, name }: { readonly model: TextModel; readonly name: string }, text: string, signal: AbortSignal): Promise<string | undefined> {
  const [how = "", ...lines] = text.split("\n");
  const numbered = cutMiddle(lines.map((line, index) => `${index + 1}: ${line}`).join("\n"), LIMITS.condensedCharacters / 2, LIMITS.condensedCharacters / 2);
  const messages = [{ role: "system", content: PROMPT }, { role: "user", content: numbered }] as const;
  if ((await model.countTokens({ messages })) + ANSWER_TOKENS > model.contextLimit) return undefined;
  let answer = "";
  for await (const event of model.complete({ messages, maxTokens: ANSWER_TOKENS, sampling: { temperature: 0 } }, signal)) if (event.type === "done") answer = event.reason === "stop" ? event.text : "";
  const chosen = chosenLines(answer, lines.length);
  if (!chosen) return undefined;
  return `${how}\n${chosen.map((line) => lines[line - 1]).join("\n")}\n[${chosen.length} of ${lines.length} lines, chosen by ${name}]`;
}

/** Line numbers from 1, in order, each once; undefined for an answer that is anything else. */
export function chosenLines(answer: string, count: number): readonly number[] | undefined {
  if (!/^\s*\d+(?:\s*-\s*\d+)?(?:\s*,\s*\d+(?:\s*-\s*\d+)?)*[\s.]*$/.test(answer)) return undefined;
  const lines = new Set<number>();
  for (const [, from, to] of answer.matchAll(/(\d+)(?:\s*-\s*(\d+))?/g)) {
    const last = Number(to ?? from);
    if (Number(from) < 1 || last > count || last < Number(from) || last - Number(from) >= LIMITS.condensedLines) return undefined;
    for (let line = Number(from); line <= last; line++) lines.add(line);
  }
  return lines.size > LIMITS.condensedLines ? undefined : [...lines].toSorted((a, b) => a - b);
}
