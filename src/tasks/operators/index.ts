// The catalogue: every way to break a file by one splice. Bugs of the kinds that people write; the text outside the
// splice is not touched. `mutate.ts` beside this folder is the narrower set that the bundled model is trained on.
import { flipOperator, offByOne, swapOperands, wrongConstant } from "./expressions.ts";
import { type Breaker, type Mutant, type Operator, OPERATORS, spliced } from "./mutant.ts";
import { shadowing, wrongMethod, wrongVariable } from "./names.ts";
import { functionName, places } from "./scope.ts";
import { droppedBranch, invertedCondition, loopBound, missingAwait, removedStatement, shuffledStatements, wrongReturn } from "./statements.ts";
import { parseSource } from "./syntax.ts";

export { type Mutant, type Operator, OPERATORS, spliced } from "./mutant.ts";
export { isSourceFile, parseSource } from "./syntax.ts";

const BREAKERS: Readonly<Record<Operator, Breaker>> = {
  "flip-operator": flipOperator,
  "swap-operands": swapOperands,
  "off-by-one": offByOne,
  "wrong-variable": wrongVariable,
  "wrong-method": wrongMethod,
  "dropped-branch": droppedBranch,
  "inverted-condition": invertedCondition,
  "shuffled-statements": shuffledStatements,
  "removed-statement": removedStatement,
  "wrong-constant": wrongConstant,
  "wrong-return": wrongReturn,
  "loop-bound": loopBound,
  "shadowing": shadowing,
  "missing-await": missingAwait,
};

/**
 * All mutants of a file in the order of its text, each text once. `path` tells the language. Empty for a file that does
 * not parse. A mutant may still fail to parse, or mean the same: `isMutantOf` looks, the tests decide.
 */
export function mutantsOf(source: string, path: string): Mutant[] {
  const program = parseSource(source, path);
  if (!program) return [];
  const found = new Map<string, Mutant>();
  for (const place of places(program)) {
    const inFunction = functionName([...place.parents, place.node]);
    for (const operator of OPERATORS) {
      for (const { start, end, text } of BREAKERS[operator](place, source)) {
        const key = `${start}-${end}-${text}`;
        if (source.slice(start, end) !== text && !found.has(key)) found.set(key, { operator, start, end, text, ...(inFunction === undefined ? {} : { inFunction }) });
      }
    }
  }
  return [...found.values()];
}

/** True if the broken text still parses. */
export function isMutantOf(source: string, path: string, mutant: Mutant): boolean {
  return parseSource(spliced(source, mutant), path) !== undefined;
}
