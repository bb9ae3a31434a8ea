// The shapes that families over lists are composed of: what is done with the chosen elements.

/** Code of the pieces that a shape puts together. `when` and `unless` are opposite conditions; `value` is the projection. */
export interface Pieces {
  readonly when: string;
  readonly unless: string;
  readonly value: string;
  /** `when`, `unless` and `value` for another element name. */
  on(element: string): Pick<Pieces, "when" | "unless" | "value">;
}

export interface Shape {
  readonly id: string;
  readonly stems: readonly string[];
  readonly predicate: "never" | "maybe" | "always";
  /** Which projections fit: none, those giving numbers, those giving anything but the element itself, or any. */
  readonly projection: "none" | "int" | "changed" | "any";
  /** Bodies without and with a condition. */
  readonly plain: readonly ((p: Pieces) => string)[];
  readonly filtered: readonly ((p: Pieces) => string)[];
}

const chain = (rest: (p: Pieces) => string) => (p: Pieces): string => `return $1.filter(($x) => ${p.when})${rest(p)};`;

export const SHAPES: readonly Shape[] = [
  {
    id: "sum",
    stems: ["sum", "total", "addUp"],
    predicate: "maybe",
    projection: "int",
    plain: [
      (p) => `let $t = 0;\neach $x of $1 {\n  $t += ${p.value};\n}\nreturn $t;`,
      (p) => `return $1.reduce(($t, $x) => $t + ${p.value}, 0);`,
      (p) => `let $t = 0;\neach $x of $1 {\n  $t = $t + ${p.value};\n}\nreturn $t;`,
    ],
    filtered: [
      (p) => `let $t = 0;\neach $x of $1 {\n  if (${p.when}) {\n    $t += ${p.value};\n  }\n}\nreturn $t;`,
      (p) => `let $t = 0;\neach $x of $1 {\n  if (${p.unless}) {\n    continue;\n  }\n  $t += ${p.value};\n}\nreturn $t;`,
      (p) => `let $t = 0;\neach $x of $1 {\n  $t += ${p.when} ? ${p.value} : 0;\n}\nreturn $t;`,
      chain((p) => `.reduce(($t, $y) => $t + ${p.on("$y").value}, 0)`),
    ],
  },
  {
    id: "product",
    stems: ["product", "multiply"],
    predicate: "maybe",
    projection: "int",
    plain: [
      (p) => `let $t = 1;\neach $x of $1 {\n  $t *= ${p.value};\n}\nreturn $t;`,
      (p) => `return $1.reduce(($t, $x) => $t * (${p.value}), 1);`,
    ],
    filtered: [
      (p) => `let $t = 1;\neach $x of $1 {\n  if (${p.when}) {\n    $t *= ${p.value};\n  }\n}\nreturn $t;`,
      chain((p) => `.reduce(($t, $y) => $t * (${p.on("$y").value}), 1)`),
    ],
  },
  {
    id: "count",
    stems: ["count", "howMany"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `let $t = 0;\neach $x of $1 {\n  if (${p.when}) {\n    inc $t;\n  }\n}\nreturn $t;`,
      (p) => `let $t = 0;\neach $x of $1 {\n  if (${p.unless}) {\n    continue;\n  }\n  inc $t;\n}\nreturn $t;`,
      chain(() => `.length`),
      (p) => `return $1.reduce(($t, $x) => (${p.when} ? $t + 1 : $t), 0);`,
    ],
  },
  {
    id: "largest",
    stems: ["largest", "max", "highest"],
    predicate: "maybe",
    projection: "int",
    plain: [
      (p) => `let $r = -Infinity;\neach $x of $1 {\n  if (${p.value} > $r) {\n    $r = ${p.value};\n  }\n}\nreturn $r;`,
      (p) => `let $r = -Infinity;\neach $x of $1 {\n  $r = Math.max($r, ${p.value});\n}\nreturn $r;`,
      (p) => `return Math.max(...$1.map(($x) => ${p.value}));`,
    ],
    filtered: [
      (p) => `let $r = 0;\neach $x of $1 {\n  if (${p.when}) {\n    $r = Math.max($r, ${p.value});\n  }\n}\nreturn $r;`,
      (p) => `let $r = null;\neach $x of $1 {\n  if (${p.unless}) {\n    continue;\n  }\n  if ($r === null || ${p.value} > $r) {\n    $r = ${p.value};\n  }\n}\nreturn $r;`,
    ],
  },
  {
    id: "smallest",
    stems: ["smallest", "min", "lowest"],
    predicate: "maybe",
    projection: "int",
    plain: [
      (p) => `let $r = Infinity;\neach $x of $1 {\n  if (${p.value} < $r) {\n    $r = ${p.value};\n  }\n}\nreturn $r;`,
      (p) => `let $r = Infinity;\neach $x of $1 {\n  $r = Math.min($r, ${p.value});\n}\nreturn $r;`,
      (p) => `return Math.min(...$1.map(($x) => ${p.value}));`,
    ],
    filtered: [
      (p) => `let $r = null;\neach $x of $1 {\n  if (${p.unless}) {\n    continue;\n  }\n  if ($r === null || ${p.value} < $r) {\n    $r = ${p.value};\n  }\n}\nreturn $r;`,
    ],
  },
  {
    id: "keep",
    stems: ["keep", "only", "select"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `const $r = [];\neach $x of $1 {\n  if (${p.when}) {\n    $r.push($x);\n  }\n}\nreturn $r;`,
      (p) => `return $1.filter(($x) => ${p.when});`,
      (p) => `const $r = [];\neach $x of $1 {\n  if (${p.unless}) {\n    continue;\n  }\n  $r.push($x);\n}\nreturn $r;`,
      (p) => `const $r = $1.filter(($x) => ${p.when});\nreturn $r;`,
    ],
  },
  {
    id: "drop",
    stems: ["drop", "remove", "without"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `const $r = [];\neach $x of $1 {\n  if (${p.unless}) {\n    $r.push($x);\n  }\n}\nreturn $r;`,
      (p) => `return $1.filter(($x) => ${p.unless});`,
      (p) => `const $r = [];\neach $x of $1 {\n  if (${p.when}) {\n    continue;\n  }\n  $r.push($x);\n}\nreturn $r;`,
    ],
  },
  {
    id: "list",
    stems: ["list", "map", "collect"],
    predicate: "maybe",
    projection: "changed",
    plain: [
      (p) => `const $r = [];\neach $x of $1 {\n  $r.push(${p.value});\n}\nreturn $r;`,
      (p) => `return $1.map(($x) => ${p.value});`,
    ],
    filtered: [
      (p) => `const $r = [];\neach $x of $1 {\n  if (${p.when}) {\n    $r.push(${p.value});\n  }\n}\nreturn $r;`,
      chain((p) => `.map(($y) => ${p.on("$y").value})`),
    ],
  },
  {
    id: "every",
    stems: ["all", "every"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `each $x of $1 {\n  if (${p.unless}) {\n    return false;\n  }\n}\nreturn true;`,
      (p) => `return $1.every(($x) => ${p.when});`,
    ],
  },
  {
    id: "some",
    stems: ["any", "some", "has"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `each $x of $1 {\n  if (${p.when}) {\n    return true;\n  }\n}\nreturn false;`,
      (p) => `return $1.some(($x) => ${p.when});`,
      (p) => `let $r = false;\neach $x of $1 {\n  if (${p.when}) {\n    $r = true;\n  }\n}\nreturn $r;`,
    ],
  },
  {
    id: "none",
    stems: ["no", "none"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `each $x of $1 {\n  if (${p.when}) {\n    return false;\n  }\n}\nreturn true;`,
      (p) => `return !$1.some(($x) => ${p.when});`,
    ],
  },
  {
    id: "first",
    stems: ["first", "find"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `each $x of $1 {\n  if (${p.when}) {\n    return $x;\n  }\n}\nreturn null;`,
      (p) => `return $1.find(($x) => ${p.when}) ?? null;`,
    ],
  },
  {
    id: "last",
    stems: ["last", "findLast"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `for (let $i = $1.length - 1; $i >= 0; $i--) {\n  const $x = $1[$i];\n  if (${p.when}) {\n    return $x;\n  }\n}\nreturn null;`,
      (p) => `let $r = null;\neach $x of $1 {\n  if (${p.when}) {\n    $r = $x;\n  }\n}\nreturn $r;`,
    ],
  },
  {
    id: "index",
    stems: ["indexOf", "findIndexOf", "positionOf"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `for (let $i = 0; $i < $1.length; $i++) {\n  if (${p.on("$1[$i]").when}) {\n    return $i;\n  }\n}\nreturn -1;`,
      (p) => `return $1.findIndex(($x) => ${p.when});`,
    ],
  },
  {
    id: "takewhile",
    stems: ["takeWhile", "leading"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `const $r = [];\neach $x of $1 {\n  if (${p.unless}) {\n    break;\n  }\n  $r.push($x);\n}\nreturn $r;`,
      (p) => `let $i = 0;\nwhile ($i < $1.length && ${wrap(p.on("$1[$i]").when)}) {\n  inc $i;\n}\nreturn $1.slice(0, $i);`,
    ],
  },
  {
    id: "dropwhile",
    stems: ["dropWhile", "skipWhile"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `let $i = 0;\nwhile ($i < $1.length && ${wrap(p.on("$1[$i]").when)}) {\n  inc $i;\n}\nreturn $1.slice($i);`,
    ],
  },
  {
    id: "average",
    stems: ["average", "mean"],
    predicate: "maybe",
    projection: "int",
    plain: [
      (p) => `if ($1.length === 0) {\n  return 0;\n}\nlet $t = 0;\neach $x of $1 {\n  $t += ${p.value};\n}\nreturn $t / $1.length;`,
      (p) => `const $t = $1.reduce(($r, $x) => $r + ${p.value}, 0);\nreturn $1.length === 0 ? 0 : $t / $1.length;`,
    ],
    filtered: [
      (p) => `let $t = 0;\nlet $c = 0;\neach $x of $1 {\n  if (${p.when}) {\n    $t += ${p.value};\n    inc $c;\n  }\n}\nreturn $c === 0 ? 0 : $t / $c;`,
    ],
  },
  {
    id: "running",
    stems: ["running", "cumulative"],
    predicate: "maybe",
    projection: "int",
    plain: [
      (p) => `const $r = [];\nlet $t = 0;\neach $x of $1 {\n  $t += ${p.value};\n  $r.push($t);\n}\nreturn $r;`,
      (p) => `let $t = 0;\nreturn $1.map(($x) => {\n  $t += ${p.value};\n  return $t;\n});`,
    ],
    filtered: [
      (p) => `const $r = [];\nlet $t = 0;\neach $x of $1 {\n  if (${p.when}) {\n    $t += ${p.value};\n  }\n  $r.push($t);\n}\nreturn $r;`,
    ],
  },
  {
    id: "split",
    stems: ["split", "partition", "separate"],
    predicate: "always",
    projection: "none",
    plain: [],
    filtered: [
      (p) => `const $a = [];\nconst $b = [];\neach $x of $1 {\n  if (${p.when}) {\n    $a.push($x);\n  } else {\n    $b.push($x);\n  }\n}\nreturn [$a, $b];`,
      (p) => `const $a = $1.filter(($x) => ${p.when});\nconst $b = $1.filter(($x) => ${p.unless});\nreturn [$a, $b];`,
    ],
  },
  {
    id: "join",
    stems: ["join", "format"],
    predicate: "maybe",
    projection: "any",
    plain: [
      (p) => `let $r = "";\neach $x of $1 {\n  $r += ${p.value} + ",";\n}\nreturn $r;`,
      (p) => `return $1.map(($x) => ${p.value}).join(",");`,
    ],
    filtered: [
      chain((p) => `.map(($y) => ${p.on("$y").value}).join(",")`),
    ],
  },
  {
    id: "distinct",
    stems: ["distinct", "unique"],
    predicate: "maybe",
    projection: "any",
    plain: [
      (p) => `const $r = [];\neach $x of $1 {\n  const $y = ${p.value};\n  if (!$r.includes($y)) {\n    $r.push($y);\n  }\n}\nreturn $r;`,
      (p) => `const $r = new Set();\neach $x of $1 {\n  $r.add(${p.value});\n}\nreturn [...$r];`,
      (p) => `return [...new Set($1.map(($x) => ${p.value}))];`,
    ],
    filtered: [
      (p) => `const $r = new Set();\neach $x of $1 {\n  if (${p.when}) {\n    $r.add(${p.value});\n  }\n}\nreturn [...$r];`,
    ],
  },
  {
    id: "sort",
    stems: ["sortBy", "orderBy"],
    predicate: "never",
    projection: "int",
    plain: [
      (p) => `const $r = [...$1];\n$r.sort(($x, $y) => ${sub(p.value, p.on("$y").value)});\nreturn $r;`,
      (p) => `return [...$1].sort(($x, $y) => ${sub(p.value, p.on("$y").value)});`,
      (p) => `return $1.slice().sort(($x, $y) => ${sub(p.value, p.on("$y").value)});`,
    ],
    filtered: [],
  },
  {
    id: "sortdown",
    stems: ["sortDownBy", "descendingBy"],
    predicate: "never",
    projection: "int",
    plain: [
      (p) => `const $r = [...$1];\n$r.sort(($x, $y) => ${sub(p.on("$y").value, p.value)});\nreturn $r;`,
      (p) => `return [...$1].sort(($x, $y) => ${sub(p.on("$y").value, p.value)});`,
    ],
    filtered: [],
  },
  {
    id: "tally",
    stems: ["tally", "countBy"],
    predicate: "maybe",
    projection: "any",
    plain: [
      (p) => `const $r = {};\neach $x of $1 {\n  const $k = ${p.value};\n  $r[$k] = ($r[$k] ?? 0) + 1;\n}\nreturn $r;`,
      (p) => `const $r = {};\neach $x of $1 {\n  const $k = ${p.value};\n  if ($k in $r) {\n    $r[$k] += 1;\n  } else {\n    $r[$k] = 1;\n  }\n}\nreturn $r;`,
    ],
    filtered: [
      (p) => `const $r = {};\neach $x of $1 {\n  if (${p.when}) {\n    const $k = ${p.value};\n    $r[$k] = ($r[$k] || 0) + 1;\n  }\n}\nreturn $r;`,
    ],
  },
  {
    id: "group",
    stems: ["groupBy", "bucketBy"],
    predicate: "never",
    projection: "changed",
    plain: [
      (p) => `const $r = {};\neach $x of $1 {\n  const $k = ${p.value};\n  if (!$r[$k]) {\n    $r[$k] = [];\n  }\n  $r[$k].push($x);\n}\nreturn $r;`,
    ],
    filtered: [],
  },
  {
    id: "best",
    stems: ["withMost", "largestBy"],
    predicate: "never",
    projection: "int",
    plain: [
      (p) => `let $r = $1[0];\neach $x of $1 {\n  if (${p.value} > ${p.on("$r").value}) {\n    $r = $x;\n  }\n}\nreturn $r;`,
    ],
    filtered: [],
  },
  {
    id: "worst",
    stems: ["withLeast", "smallestBy"],
    predicate: "never",
    projection: "int",
    plain: [
      (p) => `let $r = $1[0];\neach $x of $1 {\n  if (${p.value} < ${p.on("$r").value}) {\n    $r = $x;\n  }\n}\nreturn $r;`,
    ],
    filtered: [],
  },
];

/** `a - b`, with brackets where `b` or `a` is a sum. */
function sub(a: string, b: string): string {
  const side = (text: string): string => (/ [+-] /.test(text) ? `(${text})` : text);
  return `${side(a)} - ${side(b)}`;
}

function wrap(condition: string): string {
  return condition.includes("||") ? `(${condition})` : condition;
}
