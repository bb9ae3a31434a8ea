// What a function family produces before names are chosen: a body with placeholders, and the kinds of its arguments.
//
// Placeholders: `$1` `$2` `$3` parameters; `$t` `$u` accumulators, `$r` result, `$x` `$y` elements, `$i` `$j` indices,
// `$a` `$b` `$c` temporaries, `$k` keys; `$F` `$G` record fields. A line `each $x of $1 {` becomes one of several loops.
import type { Random } from "./random.ts";

/** What an argument is, so that test values can be made. */
export type Kind =
  | "int"
  | "count"
  | "positive"
  | "ints"
  | "positives"
  | "word"
  | "words"
  | "letter"
  | "sentence"
  | "flag"
  | "flags"
  | "records"
  | "record"
  | "grid"
  | "digits";

export interface Draft {
  /** Function name before a noun is added: `sumEven`. */
  readonly stem: string;
  readonly params: readonly Kind[];
  /** Lines joined by newlines, indented by two spaces relative to the function. */
  readonly body: string;
  /** Kinds of the record fields `$F`, `$G` where a parameter is made of records. */
  readonly fields?: readonly ("int" | "flag" | "word")[];
}

export interface Family {
  /** Stable and unique: `sum/even/squares`. */
  readonly id: string;
  /** Relative frequency in a corpus. */
  readonly weight: number;
  draft(random: Random): Draft;
}

/** A family of fixed shape: its names and one or more ways to write its body. */
export function family(stems: string, params: readonly Kind[], ...bodies: readonly string[]): Family {
  const names = stems.split(" ");
  return {
    id: names[0]!,
    weight: 1,
    draft: (random) => ({ stem: random.pick(names), params, body: random.pick(bodies) }),
  };
}

/** As `family`, over records with these fields. */
export function recordFamily(
  stems: string,
  params: readonly Kind[],
  fields: NonNullable<Draft["fields"]>,
  ...bodies: readonly string[]
): Family {
  const base = family(stems, params, ...bodies);
  return { ...base, draft: (random) => ({ ...base.draft(random), fields }) };
}

/** A family with a constant that its name carries: `@` in stems and bodies becomes one of `constants`. */
export function constantFamily(
  stems: string,
  params: readonly Kind[],
  constants: readonly number[],
  ...bodies: readonly string[]
): Family {
  const base = family(stems, params, ...bodies);
  return {
    ...base,
    id: base.id.replace("@", "N"),
    draft: (random) => {
      const draft = base.draft(random);
      const constant = String(random.pick(constants));
      return { ...draft, stem: draft.stem.replaceAll("@", constant), body: draft.body.replaceAll("@", constant) };
    },
  };
}
