// The pieces that families over lists are composed of: which elements (predicates) and what of them (projections).
import type { Kind } from "../draft.ts";
import type { Random } from "../random.ts";

export type Domain = "ints" | "words" | "records";

/** A condition on an element `$x`. `code` and `opposite` are JavaScript; `@` is a constant that the name carries too. */
export interface Predicate {
  readonly id: string;
  readonly name: string;
  readonly code: readonly string[];
  readonly opposite: readonly string[];
  /** Further parameters, from `$2` on. */
  readonly params?: readonly Kind[];
  readonly constants?: readonly number[];
  readonly fields?: readonly ("int" | "flag" | "word")[];
}

/** What is taken of an element `$x`. `gives` says what kind of value it is. */
export interface Projection {
  readonly id: string;
  readonly name: string;
  readonly code: readonly string[];
  readonly gives: "int" | "word" | "flag";
  readonly constants?: readonly number[];
  readonly fields?: readonly ("int" | "flag" | "word")[];
}

const SMALL = [3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20];

export const PREDICATES: Readonly<Record<Domain, readonly Predicate[]>> = {
  ints: [
    { id: "even", name: "Even", code: ["$x % 2 === 0"], opposite: ["$x % 2 !== 0"] },
    { id: "odd", name: "Odd", code: ["$x % 2 !== 0"], opposite: ["$x % 2 === 0"] },
    { id: "positive", name: "Positive", code: ["$x > 0"], opposite: ["$x <= 0"] },
    { id: "negative", name: "Negative", code: ["$x < 0"], opposite: ["$x >= 0"] },
    { id: "zero", name: "Zero", code: ["$x === 0"], opposite: ["$x !== 0"] },
    { id: "nonzero", name: "NonZero", code: ["$x !== 0"], opposite: ["$x === 0"] },
    { id: "over", name: "Over@", code: ["$x > @"], opposite: ["$x <= @"], constants: SMALL },
    { id: "under", name: "Under@", code: ["$x < @"], opposite: ["$x >= @"], constants: SMALL },
    { id: "atleast", name: "AtLeast@", code: ["$x >= @"], opposite: ["$x < @"], constants: SMALL },
    { id: "atmost", name: "AtMost@", code: ["$x <= @"], opposite: ["$x > @"], constants: SMALL },
    { id: "above", name: "Above", code: ["$x > $2"], opposite: ["$x <= $2"], params: ["int"] },
    { id: "below", name: "Below", code: ["$x < $2"], opposite: ["$x >= $2"], params: ["int"] },
    { id: "divisible", name: "DivisibleBy", code: ["$x % $2 === 0"], opposite: ["$x % $2 !== 0"], params: ["positive"] },
    { id: "byconstant", name: "DivisibleBy@", code: ["$x % @ === 0"], opposite: ["$x % @ !== 0"], constants: [3, 4, 5, 6, 7] },
    { id: "equal", name: "EqualTo", code: ["$x === $2"], opposite: ["$x !== $2"], params: ["int"] },
    { id: "other", name: "OtherThan", code: ["$x !== $2"], opposite: ["$x === $2"], params: ["int"] },
    { id: "between", name: "Between", code: ["$x >= $2 && $x <= $3"], opposite: ["$x < $2 || $x > $3"], params: ["int", "int"] },
    { id: "outside", name: "Outside", code: ["$x < $2 || $x > $3"], opposite: ["$x >= $2 && $x <= $3"], params: ["int", "int"] },
    { id: "onedigit", name: "OneDigit", code: ["$x >= 0 && $x < 10"], opposite: ["$x < 0 || $x >= 10"] },
    { id: "large", name: "Far", code: ["Math.abs($x) > $2"], opposite: ["Math.abs($x) <= $2"], params: ["positive"] },
  ],
  words: [
    { id: "longer", name: "LongerThan@", code: ["$x.length > @"], opposite: ["$x.length <= @"], constants: [2, 3, 4, 5] },
    { id: "shorter", name: "ShorterThan@", code: ["$x.length < @"], opposite: ["$x.length >= @"], constants: [3, 4, 5, 6] },
    { id: "oflength", name: "OfLength", code: ["$x.length === $2"], opposite: ["$x.length !== $2"], params: ["positive"] },
    { id: "empty", name: "Empty", code: ['$x === ""', "$x.length === 0"], opposite: ['$x !== ""', "$x.length > 0"] },
    { id: "filled", name: "Filled", code: ['$x !== ""', "$x.length > 0"], opposite: ['$x === ""', "$x.length === 0"] },
    { id: "starting", name: "StartingWith", code: ["$x.startsWith($2)"], opposite: ["!$x.startsWith($2)"], params: ["letter"] },
    { id: "ending", name: "EndingWith", code: ["$x.endsWith($2)"], opposite: ["!$x.endsWith($2)"], params: ["letter"] },
    { id: "containing", name: "Containing", code: ["$x.includes($2)"], opposite: ["!$x.includes($2)"], params: ["letter"] },
    { id: "lacking", name: "Lacking", code: ["!$x.includes($2)"], opposite: ["$x.includes($2)"], params: ["letter"] },
    { id: "uppercase", name: "Uppercase", code: ["$x === $x.toUpperCase()"], opposite: ["$x !== $x.toUpperCase()"] },
    { id: "lowercase", name: "Lowercase", code: ["$x === $x.toLowerCase()"], opposite: ["$x !== $x.toLowerCase()"] },
    { id: "same", name: "EqualTo", code: ["$x === $2"], opposite: ["$x !== $2"], params: ["word"] },
    { id: "longerparam", name: "LongerThan", code: ["$x.length > $2"], opposite: ["$x.length <= $2"], params: ["positive"] },
  ],
  records: [
    { id: "flag", name: "$F", code: ["$x.$F"], opposite: ["!$x.$F"], fields: ["flag"] },
    { id: "notflag", name: "Not$F", code: ["!$x.$F"], opposite: ["$x.$F"], fields: ["flag"] },
    { id: "fieldover", name: "$FOver@", code: ["$x.$F > @"], opposite: ["$x.$F <= @"], constants: SMALL, fields: ["int"] },
    { id: "fieldunder", name: "$FUnder@", code: ["$x.$F < @"], opposite: ["$x.$F >= @"], constants: SMALL, fields: ["int"] },
    { id: "fieldatleast", name: "$FAtLeast@", code: ["$x.$F >= @"], opposite: ["$x.$F < @"], constants: SMALL, fields: ["int"] },
    { id: "fieldabove", name: "$FAbove", code: ["$x.$F > $2"], opposite: ["$x.$F <= $2"], params: ["int"], fields: ["int"] },
    { id: "fieldbelow", name: "$FBelow", code: ["$x.$F < $2"], opposite: ["$x.$F >= $2"], params: ["int"], fields: ["int"] },
    { id: "fieldis", name: "With$F", code: ["$x.$F === $2"], opposite: ["$x.$F !== $2"], params: ["word"], fields: ["word"] },
    { id: "fieldisnot", name: "Without$F", code: ["$x.$F !== $2"], opposite: ["$x.$F === $2"], params: ["word"], fields: ["word"] },
  ],
};

export const PROJECTIONS: Readonly<Record<Domain, readonly Projection[]>> = {
  ints: [
    { id: "self", name: "", code: ["$x"], gives: "int" },
    { id: "squares", name: "Squares", code: ["$x * $x", "$x ** 2"], gives: "int" },
    { id: "cubes", name: "Cubes", code: ["$x * $x * $x", "$x ** 3"], gives: "int" },
    { id: "doubles", name: "Doubles", code: ["$x * 2", "$x + $x"], gives: "int" },
    { id: "times", name: "Times@", code: ["$x * @"], gives: "int", constants: [3, 4, 5, 6, 10] },
    { id: "plus", name: "Plus@", code: ["$x + @"], gives: "int", constants: [2, 3, 4, 5, 10] },
    { id: "minus", name: "Minus@", code: ["$x - @"], gives: "int", constants: [2, 3, 4, 5, 10] },
    { id: "negated", name: "Negated", code: ["-$x"], gives: "int" },
    { id: "magnitudes", name: "Magnitudes", code: ["Math.abs($x)"], gives: "int" },
    { id: "halves", name: "Halves", code: ["Math.floor($x / 2)"], gives: "int" },
    { id: "successors", name: "Successors", code: ["$x + 1"], gives: "int" },
  ],
  words: [
    { id: "self", name: "", code: ["$x"], gives: "word" },
    { id: "lengths", name: "Lengths", code: ["$x.length"], gives: "int" },
    { id: "upper", name: "Upper", code: ["$x.toUpperCase()"], gives: "word" },
    { id: "lower", name: "Lower", code: ["$x.toLowerCase()"], gives: "word" },
    { id: "initials", name: "Initials", code: ["$x[0]", "$x.charAt(0)"], gives: "word" },
    { id: "endings", name: "Endings", code: ["$x[$x.length - 1]", "$x.at(-1)"], gives: "word" },
    { id: "tails", name: "Tails", code: ["$x.slice(1)"], gives: "word" },
    { id: "heads", name: "Heads", code: ["$x.slice(0, -1)"], gives: "word" },
    { id: "quoted", name: "Starred", code: ['"*" + $x + "*"'], gives: "word" },
    { id: "repeated", name: "Twice", code: ["$x + $x", "$x.repeat(2)"], gives: "word" },
  ],
  records: [
    { id: "field", name: "$G", code: ["$x.$G"], gives: "int", fields: ["int"] },
    { id: "fieldsquare", name: "$GSquares", code: ["$x.$G * $x.$G"], gives: "int", fields: ["int"] },
    { id: "fielddouble", name: "$GDoubles", code: ["$x.$G * 2"], gives: "int", fields: ["int"] },
    { id: "fieldword", name: "$G", code: ["$x.$G"], gives: "word", fields: ["word"] },
    { id: "fieldupper", name: "Upper$G", code: ["$x.$G.toUpperCase()"], gives: "word", fields: ["word"] },
    { id: "fieldlength", name: "$GLengths", code: ["$x.$G.length"], gives: "int", fields: ["word"] },
  ],
};

/** One way to write it, constants filled in, in name and code alike. */
export function choose<T extends Predicate | Projection>(piece: T, random: Random): T {
  const at = piece.constants ? String(random.pick(piece.constants)) : "";
  const fill = (text: string): string => text.replaceAll("@", at);
  const filled = { ...piece, name: fill(piece.name), code: [fill(random.pick(piece.code))] };
  return "opposite" in piece ? { ...filled, opposite: [fill(random.pick(piece.opposite))] } : filled;
}
