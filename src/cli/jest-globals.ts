// What Exercism's specs import from `@jest/globals`, over node:test: vitest's `expect` (Jest's matchers) in one file of
// JavaScript that a task can bring along. Skipped tests (`xtest`) run: exercises skip all but the first for the learner's sake.
import { createRequire } from "node:module";
import { build } from "vite";

const ENTRY = "virtual:jest-globals";

const SOURCE = `
import { after, afterEach, before, beforeEach, describe, test as nodeTest } from "node:test";
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
export const expect = chai.expect;

// Jest gives a test that takes an argument its \`done\`; node:test gives the context first.
const body = (run) => (run.length > 0 ? (_context, done) => run((error) => done(error)) : () => run());
const define = (name, run, timeout) => nodeTest(name, timeout === undefined ? {} : { timeout }, body(run));
const title = (name, row, at) => {
  const values = [...row];
  return name.replace(/%[sdifjoOp#%]/g, (mark) => (mark === "%%" ? "%" : mark === "%#" ? String(at) : String(values.shift())));
};
const each = (of) => (table) => (name, run, timeout) => table.forEach((given, at) => {
  const row = Array.isArray(given) ? given : [given];
  of(title(name, row, at), () => run(...row), timeout);
});
export const test = Object.assign(define, { each: each(define), only: define, skip: define });
export const it = test;
const group = (name, run) => describe(name, run);
const described = Object.assign(group, { each: each(group), only: group, skip: group });
export { described as describe, described as xdescribe, test as xtest, test as xit, after as afterAll, before as beforeAll, afterEach, beforeEach };
// Jest also defines them for files that import nothing.
Object.assign(globalThis, { expect, test, it, describe: described, xdescribe: described, xtest: test, xit: test, afterAll: after, beforeAll: before, afterEach, beforeEach });
`;

let bundled: Promise<string> | undefined;

/** The module's text, made once. */
export function jestGlobals(): Promise<string> {
  bundled ??= bundle();
  return bundled;
}

async function bundle(): Promise<string> {
  const require = createRequire(import.meta.url);
  const result = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, target: "node20", minify: true, lib: { entry: ENTRY, formats: ["es"] }, rolldownOptions: { external: [/^node:/], output: { minify: true } } },
    plugins: [
      {
        name: "jest-globals",
        enforce: "pre",
        resolveId: (id) => (id.endsWith(ENTRY) ? `\0${ENTRY}` : id === "@vitest/expect" ? require.resolve(id) : undefined),
        load: (id) => (id === `\0${ENTRY}` ? SOURCE : undefined),
      },
    ],
  });
  const output = (Array.isArray(result) ? result[0] : result) as { readonly output: readonly { readonly type: string; readonly code?: string }[] };
  return `// MIT: @vitest/expect, chai (npm).\n${output.output.find(({ type }) => type === "chunk")!.code!}`;
}
