// The pieces of built families. In a loop `X` and `Y` stand for what the source gives, `V` for the value, `P` for a further
// parameter; in an end `R` stands for the result. A piece marked `kept` is in no practice.
import type { Draft, Kind } from "../draft.ts";

/** What a source gives in each round. */
export type Round = "int" | "pair" | "word" | "letter";
/** What a value, or a fold, comes to. */
export type Result = "int" | "word" | "list";

interface Piece {
  readonly id: string;
  /** What it adds to the function's name. */
  readonly name: string;
  readonly code: string;
  /** As the corpus has it; of the others a family has two at most, for what is all strange is never solved and teaches nothing. */
  readonly usual?: true;
  readonly kept?: true;
}

/** `code` is the loop's head. */
export interface Source extends Piece {
  readonly params: readonly Kind[];
  readonly fields?: Draft["fields"];
  readonly gives: Round;
  readonly x: string;
  readonly y?: string;
}

export interface Test extends Piece {
  readonly of: Round;
  /** The kind of `P`. */
  readonly param?: Kind;
}

export interface Worth extends Piece {
  readonly of: Round;
  readonly gives: "int" | "word";
}

/** `code` is done where the test holds, `otherwise` where it does not. */
export interface Fold extends Piece {
  /** Kinds of values it takes; empty: it takes none. */
  readonly takes: readonly ("int" | "word")[];
  readonly before: string;
  readonly otherwise?: string;
  readonly result: string;
  /** Undefined: what the value is. */
  readonly gives?: Result;
}

export interface End extends Piece {
  readonly of: Result;
}

const overLater = "for (let $i = 1; $i < $1.length; $i++) {";

export const SOURCES: readonly Source[] = [
  { id: "later", name: "Later", params: ["ints"], code: overLater, gives: "int", x: "$1[$i]" },
  { id: "back", name: "BeforeLast", params: ["ints"], code: "for (let $i = $1.length - 2; $i >= 0; $i--) {", gives: "int", x: "$1[$i]" },
  { id: "steps", name: "InSteps", params: ["ints"], code: "for (let $i = 0; $i < $1.length; $i += 2) {", gives: "int", x: "$1[$i]", kept: true },
  { id: "upto", name: "UpTo", params: ["positive"], code: "for (let $i = 2; $i < $1; $i++) {", gives: "int", x: "$i", usual: true },
  { id: "span", name: "InSpan", params: ["int", "int"], code: "for (let $i = $1; $i < $2; $i++) {", gives: "int", x: "$i", kept: true },
  { id: "down", name: "DownFrom", params: ["positive"], code: "for (let $i = $1 - 1; $i > 0; $i--) {", gives: "int", x: "$i" },
  { id: "digits", name: "Digits", params: ["positive"], code: "for (const $x of String($1)) {", gives: "int", x: "Number($x)" },
  { id: "column", name: "Column", params: ["grid"], code: "for (const $x of $1) {", gives: "int", x: "$x[0]" },
  { id: "tails", name: "RowEnds", params: ["grid"], code: "for (const $x of $1) {", gives: "int", x: "$x.at(-1)", kept: true },
  { id: "field", name: "$F", params: ["records"], fields: ["int"], code: "each $x of $1 {", gives: "int", x: "$x.$F", usual: true },
  { id: "gaps", name: "Neighbours", params: ["ints"], code: overLater, gives: "pair", x: "$1[$i]", y: "$1[$i - 1]", usual: true },
  { id: "both", name: "Across", params: ["ints", "ints"], code: "for (let $i = 0; $i < Math.min($1.length, $2.length); $i++) {", gives: "pair", x: "$1[$i]", y: "$2[$i]", usual: true },
  { id: "mirror", name: "Mirrored", params: ["ints"], code: "for (let $i = 0; $i < $1.length / 2; $i++) {", gives: "pair", x: "$1[$i]", y: "$1[$1.length - 1 - $i]", kept: true },
  { id: "places", name: "Places", params: ["ints"], code: "for (let $i = 0; $i < $1.length; $i++) {", gives: "pair", x: "$1[$i]", y: "$i" },
  { id: "fields", name: "$F$G", params: ["records"], fields: ["int", "int"], code: "each $x of $1 {", gives: "pair", x: "$x.$F", y: "$x.$G" },
  { id: "start", name: "FromFirst", params: ["ints"], code: overLater, gives: "pair", x: "$1[$i]", y: "$1[0]", kept: true },
  { id: "words", name: "LaterWords", params: ["words"], code: overLater, gives: "word", x: "$1[$i]", usual: true },
  { id: "sentence", name: "In", params: ["sentence"], code: 'for (const $x of $1.split(" ")) {', gives: "word", x: "$x", usual: true },
  { id: "titles", name: "$F", params: ["records"], fields: ["word"], code: "each $x of $1 {", gives: "word", x: "$x.$F", usual: true },
  { id: "wordsteps", name: "OtherWords", params: ["words"], code: "for (let $i = 0; $i < $1.length; $i += 2) {", gives: "word", x: "$1[$i]", kept: true },
  { id: "letters", name: "Letters", params: ["word"], code: "for (const $x of $1) {", gives: "letter", x: "$x", usual: true },
  { id: "lettersback", name: "LettersBack", params: ["word"], code: "for (let $i = $1.length - 1; $i >= 0; $i--) {", gives: "letter", x: "$1[$i]" },
  { id: "lettersafter", name: "LaterLetters", params: ["word"], code: "for (let $i = 1; $i < $1.length; $i++) {", gives: "letter", x: "$1[$i]", kept: true },
];

export const TESTS: readonly Test[] = [
  { id: "more", name: "OverOne", of: "int", code: "X > 1", usual: true },
  { id: "even", name: "Even", of: "int", code: "X % 2 === 0", usual: true },
  { id: "below", name: "Under", of: "int", code: "X < P", param: "int", usual: true },
  { id: "nottwo", name: "NotTwo", of: "int", code: "X !== 2", usual: true, kept: true },
  { id: "notless", name: "NotLess", of: "pair", code: "X >= Y", usual: true },
  { id: "sumpositive", name: "SumPositive", of: "pair", code: "X + Y > 0", usual: true },
  { id: "notmore", name: "NotMore", of: "pair", code: "X <= Y", usual: true, kept: true },
  { id: "long", name: "Long", of: "word", code: "X.length > 3", usual: true },
  { id: "holding", name: "With", of: "word", code: "X.includes(P)", param: "letter", usual: true },
  { id: "ending", name: "Ending", of: "word", code: "X.endsWith(P)", param: "letter", usual: true, kept: true },
  { id: "noe", name: "NotE", of: "letter", code: 'X !== "e"', usual: true },
  { id: "given", name: "GivenOrA", of: "letter", code: 'X === P || X === "a"', param: "letter", usual: true },
  { id: "notgiven", name: "Other", of: "letter", code: "X !== P", param: "letter", usual: true, kept: true },
  { id: "evenpositive", name: "EvenPositive", of: "int", code: "X > 0 && X % 2 === 0" },
  { id: "third", name: "BeforeThird", of: "int", code: "(X + 1) % 3 === 0" },
  { id: "thirdorlarge", name: "ThirdOrLarge", of: "int", code: "X % 3 === 0 || X > 9" },
  { id: "middling", name: "Middling", of: "int", code: "X >= 2 && X <= 9" },
  { id: "edge", name: "Edge", of: "int", code: "X < 2 || X > 9", kept: true },
  { id: "bigsquare", name: "BigSquare", of: "int", code: "X * X > 15" },
  { id: "smallsize", name: "Near", of: "int", code: "Math.abs(X) < P", param: "positive" },
  { id: "oddbelow", name: "OddBelow", of: "int", code: "X % 2 !== 0 && X < P", param: "int" },
  { id: "positivebut", name: "PositiveBut", of: "int", code: "X > 0 && X !== P", param: "int", kept: true },
  { id: "rise", name: "Above", of: "pair", code: "X > Y + 1" },
  { id: "fall", name: "Below", of: "pair", code: "X < Y - 1", kept: true },
  { id: "next", name: "SameOrNext", of: "pair", code: "X === Y || X === Y + 1" },
  { id: "far", name: "Far", of: "pair", code: "Math.abs(X - Y) > 2" },
  { id: "twice", name: "Double", of: "pair", code: "X >= Y * 2" },
  { id: "alike", name: "SameParity", of: "pair", code: "X % 2 === Y % 2", kept: true },
  { id: "bothpositive", name: "BothPositive", of: "pair", code: "X > 0 && Y > 0" },
  { id: "within", name: "Within", of: "pair", code: "X + Y < P", param: "positive" },
  { id: "evenlength", name: "EvenLength", of: "word", code: "X.length % 2 === 0" },
  { id: "midlength", name: "Mid", of: "word", code: "X.length > 2 && X.length < 5" },
  { id: "sameends", name: "SameEnds", of: "word", code: "X[0] === X[X.length - 1]" },
  { id: "late", name: "Late", of: "word", code: 'X > "m"' },
  { id: "early", name: "Early", of: "word", code: 'X < "m" && X.length > 2', kept: true },
  { id: "hasat", name: "Inside", of: "word", code: "X.indexOf(P) > 0", param: "letter" },
  { id: "startorend", name: "Edged", of: "word", code: "X.startsWith(P) || X.endsWith(P)", param: "letter", kept: true },
  { id: "notvowel", name: "NotAOrE", of: "letter", code: 'X !== "a" && X !== "e"' },
  { id: "vowel", name: "AOrO", of: "letter", code: 'X === "a" || X === "o"' },
  { id: "lateletter", name: "AOrFrom", of: "letter", code: 'X >= P || X === "a"', param: "letter" },
  { id: "letterin", name: "OneOf", of: "letter", code: '"lnrst".includes(X)' },
  { id: "lowercase", name: "LowerUpToM", of: "letter", code: 'X >= "a" && X <= "m"', kept: true },
];

export const WORTHS: readonly Worth[] = [
  { id: "self", name: "", of: "int", gives: "int", code: "X", usual: true },
  { id: "doubles", name: "Doubles", of: "int", gives: "int", code: "X * 2", usual: true },
  { id: "successors", name: "Next", of: "int", gives: "int", code: "X + 1", usual: true, kept: true },
  { id: "second", name: "Others", of: "pair", gives: "int", code: "Y + 1", usual: true, kept: true },
  { id: "word", name: "", of: "word", gives: "word", code: "X", usual: true },
  { id: "twiceplus", name: "DoublePlus", of: "int", gives: "int", code: "X * 2 + 1" },
  { id: "capped", name: "Capped", of: "int", gives: "int", code: "Math.min(X, 4)", kept: true },
  { id: "floored", name: "Raised", of: "int", gives: "int", code: "Math.max(X, 3)" },
  { id: "left", name: "FromTen", of: "int", gives: "int", code: "10 - X" },
  { id: "squareless", name: "SquareLess", of: "int", gives: "int", code: "X * X - X" },
  { id: "thirds", name: "Thirds", of: "int", gives: "int", code: "Math.floor(X / 3)", kept: true },
  { id: "lastdigit", name: "Rest", of: "int", gives: "int", code: "X % 4" },
  { id: "distance", name: "Distance", of: "pair", gives: "int", code: "Math.abs(X - Y)" },
  { id: "difference", name: "Difference", of: "pair", gives: "int", code: "X - Y", usual: true },
  { id: "both", name: "Together", of: "pair", gives: "int", code: "X + Y", usual: true },
  { id: "area", name: "Product", of: "pair", gives: "int", code: "X * Y" },
  { id: "upper", name: "Larger", of: "pair", gives: "int", code: "Math.max(X, Y)" },
  { id: "lower", name: "Smaller", of: "pair", gives: "int", code: "Math.min(X, Y)", kept: true },
  { id: "lead", name: "Lead", of: "pair", gives: "int", code: "X * 2 - Y", kept: true },
  { id: "length", name: "Length", of: "word", gives: "int", code: "X.length", usual: true },
  { id: "lengthplus", name: "LengthPlus", of: "word", gives: "int", code: "X.length + 3", kept: true },
  { id: "missing", name: "ShortBy", of: "word", gives: "int", code: "9 - X.length" },
  { id: "lengthsquare", name: "LengthSquare", of: "word", gives: "int", code: "X.length * X.length" },
  { id: "moved", name: "Moved", of: "word", gives: "word", code: "X.slice(1) + X[0]" },
  { id: "short", name: "Short", of: "word", gives: "word", code: "X.slice(0, 2)" },
  { id: "shout", name: "Shouted", of: "word", gives: "word", code: 'X.toUpperCase() + "!"' },
  { id: "numbered", name: "Sized", of: "word", gives: "word", code: "X[0] + X.length" },
  { id: "padded", name: "Padded", of: "word", gives: "word", code: 'X.padEnd(4, ".")', kept: true },
  { id: "tail", name: "End", of: "word", gives: "word", code: "X.slice(-2)", kept: true },
  { id: "letter", name: "", of: "letter", gives: "word", code: "X", usual: true },
  { id: "big", name: "Big", of: "letter", gives: "word", code: "X.toUpperCase()" },
  { id: "dotted", name: "Dotted", of: "letter", gives: "word", code: 'X + "."' },
  { id: "tripled", name: "Tripled", of: "letter", gives: "word", code: "X.repeat(3)", kept: true },
];

const ANY = ["int", "word"] as const;

export const FOLDS: readonly Fold[] = [
  { id: "sum", name: "gather", takes: ["int"], before: "let $t = 0;", code: "$t += V;", result: "$t", gives: "int", usual: true },
  { id: "spend", name: "spend", takes: ["int"], before: "let $t = 100;", code: "$t -= V;", result: "$t", gives: "int" },
  { id: "count", name: "number", takes: [], before: "let $t = 0;", code: "inc $t;", result: "$t", gives: "int", usual: true },
  { id: "balance", name: "balance", takes: [], before: "let $t = 0;", code: "$t += 1;", otherwise: "$t -= 1;", result: "$t", gives: "int" },
  { id: "scores", name: "score", takes: ["int"], before: "let $t = 0;", code: "$t += V;", otherwise: "$t -= 1;", result: "$t", gives: "int", kept: true },
  { id: "peak", name: "peak", takes: ["int"], before: "let $t = 0;", code: "$t = Math.max($t, V);", result: "$t", gives: "int" },
  { id: "dip", name: "dip", takes: ["int"], before: "let $t = 50;", code: "if (V < $t) {\n  $t = V;\n}", result: "$t", gives: "int" },
  { id: "last", name: "final", takes: ["int"], before: "let $r = -1;", code: "$r = V;", result: "$r", gives: "int" },
  { id: "found", name: "seek", takes: ["int"], before: "", code: "return V;", result: "-1", usual: true },
  { id: "streak", name: "streak", takes: [], before: "let $c = 0;\nlet $t = 0;", code: "$c += 1;\n$t = Math.max($t, $c);", otherwise: "$c = 0;", result: "$t", gives: "int" },
  { id: "list", name: "gatherAll", takes: ANY, before: "const $r = [];", code: "$r.push(V);", result: "$r", gives: "list", usual: true },
  { id: "front", name: "stack", takes: ANY, before: "const $r = [];", code: "$r.unshift(V);", result: "$r", gives: "list" },
  { id: "marked", name: "mark", takes: ANY, before: "const $r = [];", code: "$r.push(V);", otherwise: "$r.push(0);", result: "$r", gives: "list" },
  { id: "twins", name: "twin", takes: ANY, before: "const $r = [];", code: "$r.push(V, V);", result: "$r", gives: "list", kept: true },
  { id: "text", name: "spell", takes: ["word"], before: 'let $r = "";', code: "$r += V;", result: "$r", gives: "word", usual: true },
  { id: "around", name: "surround", takes: ["word"], before: 'let $r = "";', code: "$r = V + $r + V;", result: "$r", gives: "word", kept: true },
  { id: "swapped", name: "mask", takes: ["word"], before: 'let $r = "";', code: "$r += V;", otherwise: '$r += "-";', result: "$r", gives: "word" },
];

export const ENDS: readonly End[] = [
  { id: "plain", name: "", of: "int", code: "R", usual: true },
  { id: "atleast", name: "AtLeastOne", of: "int", code: "Math.max(R, 1)" },
  { id: "doubled", name: "Doubled", of: "int", code: "R * 2" },
  { id: "left", name: "LeftOfTen", of: "int", code: "10 - R" },
  { id: "over", name: "Beyond", of: "int", code: "R - P" },
  { id: "ornone", name: "OrNone", of: "int", code: "R === 0 ? -1 : R" },
  { id: "bonus", name: "WithBonus", of: "int", code: "5 + Math.min(R, 5)", kept: true },
  { id: "clock", name: "Wrapped", of: "int", code: "(R + 1) % 4", kept: true },
  { id: "plainlist", name: "", of: "list", code: "R", usual: true },
  { id: "counted", name: "Counted", of: "list", code: "[...R, R.length]" },
  { id: "two", name: "Two", of: "list", code: "R.slice(0, 2)" },
  { id: "second", name: "Second", of: "list", code: "R[1] ?? null" },
  { id: "joined", name: "Joined", of: "list", code: 'R.join("-")' },
  { id: "framed", name: "Framed", of: "list", code: "[0, ...R]", kept: true },
  { id: "repeated", name: "Repeated", of: "list", code: "[...R, ...R]", kept: true },
  { id: "plaintext", name: "", of: "word", code: "R", usual: true },
  { id: "raised", name: "Raised", of: "word", code: "R.toUpperCase()" },
  { id: "ended", name: "Ended", of: "word", code: 'R + "!"' },
  { id: "counted", name: "Counted", of: "word", code: "R + R.length" },
  { id: "headless", name: "Headless", of: "word", code: "R.slice(1)", kept: true },
];

/** Forms without a loop: a condition on the parameters and what comes of it. `code` uses `$1`, `$2`, `$3` and fields alone. */
export interface Choice extends Piece {
  /** Which parameters, see `GIVEN`. */
  readonly given: keyof typeof GIVEN;
}

export const GIVEN = {
  numbers: { params: ["int", "int"] },
  three: { params: ["int", "int", "int"] },
  word: { params: ["word", "count"] },
  words: { params: ["word", "word"] },
  record: { params: ["record"], fields: ["int", "int"] },
  named: { params: ["record"], fields: ["word", "int"] },
  list: { params: ["ints", "int"] },
} as const satisfies Readonly<Record<string, Pick<Draft, "params" | "fields">>>;

export const CONDITIONS: readonly Choice[] = [
  { id: "more", name: "More", given: "numbers", code: "$1 > $2", usual: true },
  { id: "firstmore", name: "FirstMore", given: "three", code: "$1 > $2", usual: true },
  { id: "short", name: "Short", given: "word", code: "$1.length < $2", usual: true },
  { id: "same", name: "Same", given: "words", code: "$1 === $2", usual: true },
  { id: "has", name: "Has", given: "record", code: "$1.$F > 0", usual: true },
  { id: "big", name: "Big", given: "named", code: "$1.$G > 5", usual: true },
  { id: "includes", name: "Includes", given: "list", code: "$1.includes($2)", usual: true },
  { id: "sumover", name: "SumOver", given: "numbers", code: "$1 + $2 > 9" },
  { id: "farther", name: "Farther", given: "numbers", code: "Math.abs($1) > Math.abs($2)" },
  { id: "oneeven", name: "OneEven", given: "numbers", code: "$1 % 2 === 0 || $2 % 2 === 0" },
  { id: "opposed", name: "Opposed", given: "numbers", code: "$1 > 0 && $2 < 0", kept: true },
  { id: "rising", name: "Rising", given: "three", code: "$1 < $2 && $2 < $3" },
  { id: "spare", name: "Spare", given: "three", code: "$1 - $2 > $3" },
  { id: "twoequal", name: "TwoEqual", given: "three", code: "$1 === $2 || $2 === $3", kept: true },
  { id: "longenough", name: "LongEnough", given: "word", code: "$1.length > $2" },
  { id: "evenplace", name: "EvenPlace", given: "word", code: "$2 % 2 === 0" },
  { id: "fits", name: "Fits", given: "word", code: "$1.length + $2 < 7", kept: true },
  { id: "longer", name: "Longer", given: "words", code: "$1.length > $2.length" },
  { id: "sameinitial", name: "SameInitial", given: "words", code: "$1[0] === $2[0]" },
  { id: "holds", name: "Holds", given: "words", code: "$1.includes($2[0])", kept: true },
  { id: "richer", name: "Richer", given: "record", code: "$1.$F > $1.$G" },
  { id: "total", name: "Total", given: "record", code: "$1.$F + $1.$G >= 10" },
  { id: "wanting", name: "Wanting", given: "record", code: "$1.$F < 3 && $1.$G > 0", kept: true },
  { id: "namelong", name: "NameLong", given: "named", code: "$1.$F.length > 3" },
  { id: "worthy", name: "Worthy", given: "named", code: "$1.$G >= 5" },
  { id: "paired", name: "Paired", given: "named", code: "$1.$F.length === $1.$G", kept: true },
  { id: "hasroom", name: "HasRoom", given: "list", code: "$1.length < $2" },
  { id: "firstover", name: "FirstOver", given: "list", code: "$1[0] > $2" },
  { id: "lastis", name: "LastUnder", given: "list", code: "$1[$1.length - 1] < $2", kept: true },
];

export const OUTCOMES: readonly Choice[] = [
  { id: "sum", name: "sum", given: "numbers", code: "$1 + $2", usual: true },
  { id: "times", name: "times", given: "numbers", code: "$1 * $2", usual: true },
  { id: "first", name: "first", given: "three", code: "$1", usual: true },
  { id: "rest", name: "rest", given: "three", code: "$2 + $3", usual: true },
  { id: "whole", name: "whole", given: "word", code: "$1", usual: true },
  { id: "starting", name: "starting", given: "word", code: "$1.slice(0, $2)", usual: true },
  { id: "firstword", name: "firstWord", given: "words", code: "$1", usual: true },
  { id: "joined", name: "joined", given: "words", code: "$1 + $2", usual: true },
  { id: "field", name: "one", given: "record", code: "$1.$F", usual: true },
  { id: "sumof", name: "sum", given: "record", code: "$1.$F + $1.$G", usual: true },
  { id: "name", name: "name", given: "named", code: "$1.$F", usual: true },
  { id: "upper", name: "upper", given: "named", code: "$1.$F.toUpperCase()", usual: true },
  { id: "same", name: "same", given: "list", code: "$1", usual: true },
  { id: "added", name: "added", given: "list", code: "[...$1, $2]", usual: true },
  { id: "gap", name: "gap", given: "numbers", code: "Math.abs($1 - $2)" },
  { id: "mix", name: "mix", given: "numbers", code: "$1 * 2 + $2" },
  { id: "less", name: "less", given: "numbers", code: "$1 * $2 - 1" },
  { id: "zero", name: "blank", given: "numbers", code: "0" },
  { id: "third", name: "third", given: "numbers", code: "Math.floor(($1 + $2) / 3)", kept: true },
  { id: "middle", name: "combine", given: "three", code: "$1 + $2 - $3" },
  { id: "scaled", name: "scale", given: "three", code: "($1 - $2) * $3" },
  { id: "top", name: "top", given: "three", code: "Math.max($1, $3)" },
  { id: "bottom", name: "bottom", given: "three", code: "Math.min($2, $3) + 1", kept: true },
  { id: "cut", name: "cut", given: "word", code: "$1.slice($2)" },
  { id: "twofold", name: "twofold", given: "word", code: "$1.slice(0, $2) + $1" },
  { id: "label", name: "label", given: "word", code: "$1.toUpperCase() + $2" },
  { id: "trailing", name: "trailing", given: "word", code: '$1.padStart($2, "-")', kept: true },
  { id: "joinup", name: "joinUp", given: "words", code: '$1 + "-" + $2' },
  { id: "lengths", name: "lengthsOf", given: "words", code: "$1.length + $2.length" },
  { id: "crossed", name: "crossed", given: "words", code: "$2.slice(1) + $1[0]" },
  { id: "loud", name: "loud", given: "words", code: '$1.toUpperCase() + "/" + $2', kept: true },
  { id: "margin", name: "margin", given: "record", code: "$1.$F - $1.$G" },
  { id: "raise", name: "raise", given: "record", code: "{ ...$1, $F: $1.$F + $1.$G }" },
  { id: "lesser", name: "lesser", given: "record", code: "Math.min($1.$F, $1.$G) * 2" },
  { id: "reset", name: "reset", given: "record", code: "{ ...$1, $G: 0 }", kept: true },
  { id: "caption", name: "caption", given: "named", code: '$1.$F + ":" + $1.$G' },
  { id: "grown", name: "grown", given: "named", code: "$1.$G * 2 - 1" },
  { id: "echo", name: "echo", given: "named", code: "$1.$F.slice(0, $1.$G)" },
  { id: "upname", name: "upName", given: "named", code: "{ ...$1, $F: $1.$F.toUpperCase() }", kept: true },
  { id: "grow", name: "grow", given: "list", code: "[...$1, $1.length + $2]" },
  { id: "shift", name: "shift", given: "list", code: "$1.map(($x) => $x - $2)" },
  { id: "fewer", name: "fewer", given: "list", code: "$1.slice(1, -1)" },
  { id: "amount", name: "amount", given: "list", code: "$1.length * $2" },
  { id: "around", name: "around", given: "list", code: "[$2, ...$1.slice(1)]", kept: true },
];
