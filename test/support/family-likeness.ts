// When two drafts of families are the same function: by what is written, or by what comes of the same arguments.
import type { Draft } from "../../src/tasks/draft.ts";
import { callSafely } from "../../src/tasks/program.ts";
import { hashText, Random } from "../../src/tasks/random.ts";
import { drawArguments, showValue, type Value } from "../../src/tasks/values.ts";

const CALLS = 40;
const calls = new Map<string, readonly (readonly Value[])[]>();

/** The body with every placeholder named by its place, every number alike, and every way to write a loop over a list alike. */
export function shapeOf({ body }: Draft): string {
  const names = new Map<string, string>();
  return body
    .replace(/for \(const (\$\w) of (.+)\) \{/g, "each $1 of $2 {")
    .replace(/inc (\$\w);/g, "$1 += 1;")
    .replace(/\$\w/g, (name) => {
      if (!names.has(name)) names.set(name, `#${names.size}`);
      return names.get(name)!;
    })
    .replace(/(?<!#)\b\d+\b/g, "N")
    .replace(/\s+/g, " ");
}

/** What the function returns for arguments that are the same for all drafts with these parameters; undefined if always the same. */
export function behaviourOf({ params, fields, body }: Draft): string | undefined {
  const code = body.replace(/each (\$\w) of (.+) \{/g, "for (const $1 of $2) {").replace(/inc (\$\w);/g, "$1 += 1;");
  const fn = new Function(...params.map((_, i) => `$${i + 1}`), code) as (...args: unknown[]) => unknown;
  const signature = `${params.join()} ${(fields ?? []).join()}`;
  const results = argumentsFor(signature, params, fields ?? []).map((args) => {
    const outcome = callSafely(fn, args);
    return outcome.kind === "value" ? showValue(outcome.value as Value) : outcome.name;
  });
  return new Set(results).size > 1 ? `${signature}: ${results.join(" ")}` : undefined;
}

function argumentsFor(signature: string, params: Draft["params"], fields: NonNullable<Draft["fields"]>): readonly (readonly Value[])[] {
  const known = calls.get(signature);
  if (known) return known;
  const random = new Random(hashText(signature));
  const hints = { numbers: [0, 2, 5, 9], fields: fields.map((kind, i) => ({ name: i === 0 ? "$F" : "$G", kind })) };
  const made = Array.from({ length: CALLS }, () => drawArguments(params, hints, random));
  calls.set(signature, made);
  return made;
}
