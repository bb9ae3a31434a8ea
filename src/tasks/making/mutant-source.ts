// Candidates from a project with tests: every mutant of every source file, once, in an order that is fixed by the
// project's content. The kinds of bugs take turns, so that a short run has all of them.
import { AppError } from "../../base/errors.ts";
import { sha256Hex } from "../../base/digest.ts";
import { isIgnoredPath, isTestFile } from "../../project/paths.ts";
import { findTestCommand } from "../../project/test-command.ts";
import { decodeText, encodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import { isMutantOf, isSourceFile, type Mutant, mutantsOf, OPERATORS, spliced } from "../operators/index.ts";
import { hashText, Random } from "../random.ts";
import { packTree } from "../task-line.ts";
import type { Source } from "./candidate.ts";
import { runTests, type TestHost } from "./host.ts";

/** A run may take so many times what the right project takes, and at least this long: a busy machine is no hang. */
const TIMES_SLOWER = 10;
const LEAST_MS = 10_000;
const MOST_MS = 120_000;
/** Larger files are bundles or tables. */
const MOST_CHARS = 200_000;

export interface MutantOptions {
  /** The command that decides; the project's own test script if absent. */
  readonly test?: string;
  /** Only files whose path begins with one of these. */
  readonly only?: readonly string[];
  /** The project's node_modules, to be part of every task. */
  readonly packages?: FileTree;
}

interface Place {
  readonly path: string;
  readonly mutant: Mutant;
}

/**
 * Runs the right project's tests twice on `host` first. Throws `project/no-test-command`, and `task/format` for a project
 * that is red, has no tests or nothing to break.
 */
export async function mutantSource(name: string, files: FileTree, host: TestHost, { test, only = [], packages }: MutantOptions = {}): Promise<Source> {
  const command = test ?? findTestCommand(files);
  const tests = [...files].filter(([path]) => isTestFile(path) && isSourceFile(path));
  if (tests.length === 0) throw new AppError("task/format", `${name} has no test files (*.test.js, test/, __tests__/). Add tests, then make tasks of it.`);
  const sources = [...files.keys()].filter((path) => isSourceFile(path) && !isTestFile(path) && !isIgnoredPath(path) && !isSetUp(path) && (only.length === 0 || only.some((start) => path.startsWith(start))));
  const places = inTurns(sources.flatMap((path) => mutantsIn(path, files)));
  if (places.length === 0) throw new AppError("task/format", `${name} has no source file that could be broken${only.length > 0 ? ` below ${only.join(", ")}` : ""}.`);
  const { ms, readable } = await rightRun(name, files, command, host);
  const hash = (await sha256Hex(encodeText(JSON.stringify([packTree(files), command, only])))).slice(0, 12);
  const label = `mutants/${name}@${hash}`;
  return {
    name: label,
    size: places.length,
    shared: { files, ...(packages ? { packages } : {}) },
    timeoutMs: Math.min(MOST_MS, Math.max(LEAST_MS, ms * TIMES_SLOWER)),
    readable,
    async candidate(seed) {
      const { path, mutant } = places[seed]!;
      const source = decodeText(files.get(path)!)!;
      if (!isMutantOf(source, path, mutant)) return "start";
      return {
        path,
        onlyRed: true,
        ...(mutant.inFunction === undefined ? {} : { inFunction: mutant.inFunction }),
        task: {
          id: `${name}-${seed}-${mutant.operator}`,
          test: command,
          set: name,
          family: mutant.operator,
          origin: { source: label, seed, operator: mutant.operator },
          files: new Map([...files, [path, encodeText(spliced(source, mutant))]]),
          hidden: new Map(tests),
          solution: new Map([[path, files.get(path)!]]),
          ...(packages ? { packages } : {}),
        },
      };
    },
  };
}

/** Configuration is no code that tests hold. */
function isSetUp(path: string): boolean {
  return /(^|\/)(\.[^/]+|[^/]*\.config\.[cm]?[jt]s|scripts\/.*|examples?\/.*|bench(marks?)?\/.*|dist\/.*|build\/.*|coverage\/.*)$/.test(path);
}

function mutantsIn(path: string, files: FileTree): Place[] {
  const source = decodeText(files.get(path)!);
  return source === undefined || source.length > MOST_CHARS ? [] : mutantsOf(source, path).map((mutant) => ({ path, mutant }));
}

/** Each operator's places in an order of their own, one of every operator in turn. */
function inTurns(places: readonly Place[]): Place[] {
  const random = new Random(hashText("mutants"));
  const queues = OPERATORS.map((operator) => random.shuffle(places.filter(({ mutant }) => mutant.operator === operator)));
  const longest = Math.max(0, ...queues.map(({ length }) => length));
  return Array.from({ length: longest }, (_, turn) => queues.flatMap((queue) => queue[turn] ?? [])).flat();
}

/** How long the right project takes, and whether it says which tests ran. Two runs: the first also fills caches. */
async function rightRun(name: string, files: FileTree, command: string, host: TestHost): Promise<{ readonly ms: number; readonly readable: boolean }> {
  let ms = 0;
  let readable = false;
  for (let round = 0; round < 2; round++) {
    const started = performance.now();
    const { state, report, tail } = await runTests(host, files, command, MOST_MS);
    ms = performance.now() - started;
    readable = report !== undefined;
    if (state !== "passed") {
      const why = state === "hung" ? `did not end within ${MOST_MS / 1000} s` : "fail";
      throw new AppError("task/format", `The tests of ${name} (${command}) ${why} before anything is broken. Make them pass first.${tail === "" ? "" : `\n${tail}`}`);
    }
  }
  return { ms, readable };
}
