// Families built of pieces in every combination: thousands of functions that are neither in the corpus nor in the novel set,
// neither by what is written nor by what it does (test/unit/tasks-built.test.ts). Practice has those without a kept piece; those
// with two or more are a second novel set, which neither the corpus nor practice ever shows; those with one are in neither.
import type { Draft, Family } from "../draft.ts";
import type { Random } from "../random.ts";
import { type Choice, CONDITIONS, type End, ENDS, type Fold, FOLDS, GIVEN, OUTCOMES, type Source, SOURCES, type Test, TESTS, type Worth, WORTHS } from "./built-pieces.ts";

/** A combination, how many of its pieces are not as in the corpus, and how many are kept from practice. */
interface Built {
  readonly group: string;
  readonly strange: number;
  readonly kept: number;
  readonly family: Family;
}

/** How many strange pieces a family may have. */
const LEVELS = [1, 2];

const indent = (code: string, by: string): string => code.replace(/^(?=.)/gm, by);

function loop(source: Source, test: Test, fold: Fold, worth: Worth | undefined, end: End | undefined): Draft {
  const extra = [test.param, end?.code.includes("P") ? ("positive" as const) : undefined];
  const params = [...source.params, ...extra.filter((kind) => kind !== undefined)];
  const put = (code: string, parameter: number): string =>
    code.replace(/\b[VXYPR]\b/g, (letter) => (letter === "V" ? put(worth!.code, 0) : letter === "X" ? source.x : letter === "Y" ? source.y! : letter === "P" ? `$${parameter}` : fold.result));
  const otherwise = fold.otherwise ? ` else {\n${indent(fold.otherwise, "    ")}\n  }` : "";
  const round = `  if (${put(test.code, source.params.length + 1)}) {\n${indent(put(fold.code, 0), "    ")}\n  }${otherwise}\n}`;
  return {
    stem: fold.name + (worth?.name ?? "") + test.name + source.name + (end?.name ?? ""),
    params,
    body: `${fold.before ? `${fold.before}\n` : ""}${source.code}\n${round}\nreturn ${put(end?.code ?? "R", params.length)};`,
    ...(source.fields ? { fields: source.fields } : {}),
  };
}

function loops(): Built[] {
  const all: Built[] = [];
  for (const source of SOURCES) {
    for (const test of TESTS.filter(({ of }) => of === source.gives)) {
      for (const fold of FOLDS) {
        const worths = fold.takes.length === 0 ? [undefined] : WORTHS.filter(({ of, gives }) => of === source.gives && fold.takes.includes(gives));
        for (const worth of worths) {
          const ends = fold.gives ? ENDS.filter(({ of }) => of === fold.gives) : [undefined];
          for (const end of ends) {
            const pieces = [source, test, fold, worth, end].filter((piece) => piece !== undefined);
            all.push(built(`${source.id}/${fold.id}`, pieces, () => loop(source, test, fold, worth, end)));
          }
        }
      }
    }
  }
  return all;
}

function choices(): Built[] {
  const all: Built[] = [];
  for (const condition of CONDITIONS) {
    const outcomes = OUTCOMES.filter(({ given }) => given === condition.given);
    for (const yes of outcomes) {
      for (const no of outcomes) {
        if (yes !== no) all.push(built(`choice/${condition.id}`, [condition, yes, no], (random) => choice(condition, yes, no, random.chance(0.4))));
      }
    }
  }
  return all;
}

function choice(condition: Choice, yes: Choice, no: Choice, brief: boolean): Draft {
  return {
    ...GIVEN[condition.given],
    stem: `${yes.name}Or${no.name[0]!.toUpperCase()}${no.name.slice(1)}${condition.name}`,
    body: brief ? `return ${condition.code} ? ${yes.code} : ${no.code};` : `if (${condition.code}) {\n  return ${yes.code};\n}\nreturn ${no.code};`,
  };
}

function built(group: string, pieces: readonly { readonly id: string; readonly usual?: true; readonly kept?: true }[], draft: Family["draft"]): Built {
  return {
    group,
    strange: pieces.filter(({ usual }) => !usual).length,
    kept: pieces.filter(({ kept }) => kept).length,
    family: { id: `built/${group.split("/")[0]}/${pieces.map(({ id }) => id).join("/")}`, weight: 1, draft },
  };
}

/** Families by what is drawn first: how strange, then source and fold, some of which have many combinations and some few. */
export class BuiltFamilies {
  readonly all: readonly Family[];
  readonly #levels: readonly (readonly (readonly Family[])[])[];

  constructor(every: readonly Built[]) {
    this.all = every.map(({ family }) => family);
    this.#levels = LEVELS.map((level) => {
      const groups = new Map<string, Family[]>();
      for (const { group, strange, family } of every) {
        if (strange !== level) continue;
        const some = groups.get(group);
        if (some) some.push(family);
        else groups.set(group, [family]);
      }
      return [...groups.values()];
    });
  }

  pick(random: Random): Family {
    return random.pick(random.pick(random.pick(this.#levels)));
  }
}

const every = [...loops(), ...choices()].filter(({ strange }) => LEVELS.includes(strange));

/** For practice. */
export const BUILT = new BuiltFamilies(every.filter(({ kept }) => kept === 0));

/** The second novel set: every function has two pieces or more that practice never shows. */
export const BUILT_KEPT = new BuiltFamilies(every.filter(({ kept }) => kept > 1));
