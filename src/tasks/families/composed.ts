// Families composed of a shape, a predicate and a projection. Some combinations are held out as "never seen":
// their pieces occur in training, the combination does not, under any name.
import type { Draft, Family } from "../draft.ts";
import type { Random } from "../random.ts";
import { choose, type Domain, PREDICATES, PROJECTIONS, type Predicate, type Projection } from "./pieces.ts";
import { type Pieces, type Shape, SHAPES } from "./shapes.ts";

/** Shape/predicate (or shape/projection) pairs that training never sees. `domain:shape:piece`. */
const NOVEL_PAIRS = new Set([
  "ints:sum:even",
  "ints:count:zero",
  "ints:keep:negative",
  "ints:every:negative",
  "ints:largest:odd",
  "ints:index:negative",
  "ints:drop:zero",
  "ints:list:negated",
  "ints:running:squares",
  "ints:first:even",
  "ints:takewhile:positive",
  "ints:split:positive",
  "ints:average:positive",
  "words:count:longer",
  "words:list:lower",
  "words:keep:ending",
  "words:some:empty",
  "words:drop:shorter",
  "words:sum:lengths",
  "words:tally:initials",
  "records:count:flag",
  "records:sum:notflag",
  "records:some:fieldover",
  "records:keep:fieldbelow",
]);

interface Composition {
  readonly domain: Domain;
  readonly shape: Shape;
  readonly predicate?: Predicate;
  readonly projection?: Projection;
}

const KIND = { ints: "ints", words: "words", records: "records" } as const;

function fits(shape: Shape, projection: Projection): boolean {
  if (shape.projection === "int") return projection.gives === "int";
  if (shape.projection === "changed") return projection.id !== "self";
  return shape.projection === "any";
}

function compositions(): Composition[] {
  const all: Composition[] = [];
  for (const domain of ["ints", "words", "records"] as const) {
    for (const shape of SHAPES) {
      const projections = PROJECTIONS[domain].filter((projection) => fits(shape, projection));
      const taken: (Projection | undefined)[] = shape.projection === "none" ? [undefined] : projections;
      for (const projection of taken) {
        const chosen = { domain, shape, ...(projection ? { projection } : {}) };
        if (shape.predicate !== "always") all.push(chosen);
        if (shape.predicate === "never") continue;
        for (const predicate of PREDICATES[domain]) all.push({ ...chosen, predicate });
      }
    }
  }
  return all;
}

function isNovel({ domain, shape, predicate, projection }: Composition): boolean {
  return [predicate, projection].some((piece) => piece !== undefined && NOVEL_PAIRS.has(`${domain}:${shape.id}:${piece.id}`));
}

function nameOf({ domain, shape, predicate, projection }: Composition): string {
  return [domain, shape.id, predicate?.id, projection?.id].filter((part) => part !== undefined).join("/");
}

function draftOf({ domain, shape, predicate, projection }: Composition, random: Random): Draft {
  const condition = predicate ? choose(predicate, random) : undefined;
  const value = projection ? choose(projection, random) : undefined;
  const pieces = (element: string): Pieces => {
    const put = (text: string | undefined): string => (text ?? "$x").replaceAll("$x", element);
    return {
      when: put(condition?.code[0]),
      unless: put(condition?.opposite[0]),
      value: put(value?.code[0]),
      on: pieces,
    };
  };
  const bodies = condition ? shape.filtered : shape.plain;
  const body = random.pick(bodies)(pieces("$x"));
  const fields = [predicate, projection].map((piece) => piece?.fields?.[0] ?? "int");
  return {
    stem: random.pick(shape.stems) + (condition?.name ?? "") + (value?.name ?? ""),
    params: [KIND[domain], ...(condition?.params ?? [])],
    body,
    ...(domain === "records" ? { fields } : {}),
  };
}

function toFamily(composition: Composition): Family {
  // Combinations with both pieces are many; each is drawn less often, so that plain ones keep their share.
  const both = composition.predicate !== undefined && composition.projection !== undefined;
  return { id: nameOf(composition), weight: both ? 0.02 : 1, draft: (random) => draftOf(composition, random) };
}

const every = compositions();

/** Composed families for training. */
export const COMPOSED: readonly Family[] = every.filter((composition) => !isNovel(composition)).map(toFamily);

/** Composed families that training never sees; only those with one piece or a plain projection, so that names stay readable. */
export const COMPOSED_NOVEL: readonly Family[] = every
  .filter(isNovel)
  .filter(({ predicate, projection }) => predicate === undefined || projection === undefined || ["self", "field"].includes(projection.id))
  .map(toFamily);
