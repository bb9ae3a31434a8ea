// The packages whose published test suites are run. Chosen for breadth of runners and of built-in modules, not for
// passing: what fails in real Node fails here too, and must fail alike.
import type { PackageSuite } from "./package-suite.ts";

const TAPE = "tape@5.9.0";
const MOCHA = "mocha@10.8.2";
const CHAI = "chai@4.5.0";
const TAP = "tap@12.7.0";

/** Their authors' own builds for where native code does not run. */
const WASM_BUILDS = { rollup: "npm:@rollup/wasm-node@4.52.0", esbuild: "npm:esbuild-wasm@0.25.10" };

export const SUITES: readonly PackageSuite[] = [
  { name: "@fastify/error", version: "4.3.0", runner: "node:test", command: "node --test" },
  { name: "@fastify/proxy-addr", version: "5.1.3", runner: "node:test", command: "node --test" },
  { name: "fast-content-type-parse", version: "4.0.1", runner: "node:test", command: "node --test" },
  { name: "process-warning", version: "5.1.1", runner: "node:test", command: "node --test" },
  { name: "safe-regex2", version: "5.1.2", runner: "node:test", command: "node --test" },
  { name: "avvio", version: "9.3.1", runner: "node:test", command: "node --test test/*.test.js", difference: "its tests measure time; on a busy machine two of them fail now and then, in Node as in the container." },
  { name: "find-my-way", version: "9.10.2", runner: "node:test", command: "node --test test/*.test.js", needs: ["proxyquire@2.1.3", "rfdc@1.4.1"] },
  { name: "light-my-request", version: "6.8.1", runner: "node:test", command: "node --test", needs: ["end-of-stream@1.4.5", "express@5.1.0", "form-auto-content@3.2.1", "form-data@4.0.5", "formdata-node@6.0.3", "multer@2.0.2", "undici@7.18.2"] },
  { name: "thread-stream", version: "4.2.1", runner: "node:test", command: "node --test test/end.test.js test/event.test.js", needs: ["desm@1.3.1"] },
  { name: "fastify-plugin", version: "6.0.1", runner: "node:test", command: "node --test", needs: ["fastify@5.12.8", "proxyquire@2.1.3"] },
  { name: "@fastify/cookie", version: "11.1.5", runner: "node:test", command: "node --test", needs: ["fastify@5.12.8", "sinon@22.1.0"] },
  { name: "@fastify/cors", version: "11.4.3", runner: "node:test", command: "node --test", needs: ["fastify@5.12.8", "cors@2.8.6"] },
  { name: "@fastify/busboy", version: "3.2.6", runner: "node:test", command: "node --test", needs: ["busboy@1.6.0", "photofinish@1.8.0"] },
  { name: "@fastify/accept-negotiator", version: "2.1.2", runner: "node:test", command: "node --test", needs: ["@matteo.collina/tspl@0.2.0"] },
  { name: "@fastify/send", version: "4.2.1", runner: "node:test", command: "node --test", needs: ["after@0.8.2", "supertest@7.0.0"] },
  { name: "@fastify/jwt", version: "10.2.8", runner: "node:test", command: "node --test", needs: ["fastify@5.12.8", "@fastify/cookie@11.1.5", "@fastify/rate-limit@11.0.0"] },
  { name: "@fastify/csrf", version: "8.1.1", runner: "node:test", command: "node --test", needs: [] },
  { name: "tabwright-jose-sample", version: "1.0.0", folder: "jose", runner: "node:test", command: "node --test", needs: ["jose@6.2.18"] },
  { name: "@pinojs/redact", version: "0.4.0", runner: "node:test", command: "node --test", needs: ["fast-redact@3.5.0"] },

  { name: "pino", version: "10.4.0", runner: "node:test", command: "node --test test/*.test.js", needs: ["@matteo.collina/tspl@0.2.0", "proxyquire@2.1.3", "flush-write-stream@2.0.0", "split2@4.2.0", "pino-pretty@13.1.2", "strip-ansi@6.0.1", "rfdc@1.4.1", "fastbench@1.0.1", "steed@1.1.3", "semver@7.7.3", "tape@5.9.0", "execa@5.1.1", "bunyan@1.8.15", "winston@3.18.3", "loglevel@1.9.2", "bole@5.0.21", "debug@4.4.3", "import-fresh@3.3.1", "log@6.3.2", "@yao-pkg/pkg@6.9.0", "pre-commit@1.2.2", "ts-node@10.9.2", "typescript@5.9.3", "fresh-require@1.0.3", "@types/node@20.19.43"] },

  { name: "is-regex", version: "1.2.1", runner: "tape", command: "node test", needs: [TAPE, "for-each@0.3.5"] },
  { name: "duplexify", version: "4.1.3", runner: "tape", command: "tape test.js", needs: ["tape@4.17.0", "concat-stream@1.6.1", "through2@2.0.5"] },
  { name: "stream-shift", version: "1.0.3", runner: "tape", command: "tape test.js", needs: ["tape@4.17.0", "through2@2.0.5"] },
  { name: "sha.js", version: "2.4.12", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE, "hash-test-vectors@1.3.2", "typedarray@0.0.7"] },
  { name: "create-hash", version: "1.2.0", runner: "tape", command: "node test.js", needs: ["tape@4.17.0", "hash-test-vectors@1.3.2", "safe-buffer@5.2.1"] },
  { name: "cipher-base", version: "1.0.7", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE] },
  { name: "abstract-level", version: "3.1.1", runner: "tape", command: "node test/self.js", needs: [TAPE] },
  { name: "level-supports", version: "6.2.0", runner: "tape", command: "node test/self.js", needs: [TAPE] },
  { name: "bops", version: "1.0.1", runner: "tape", command: "node test/index.js", needs: ["tape@2.14.1"] },

  { name: "qs", version: "6.17.1", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE, "es-value-fixtures@1.7.1", "for-each@0.3.5", "has-bigints@1.1.0", "has-override-mistake@1.0.1", "has-property-descriptors@1.0.2", "has-proto@1.2.0", "has-symbols@1.1.0", "iconv-lite@0.5.2", "mock-property@1.1.2", "object-inspect@1.13.4", "qs-iconv@1.0.4", "safer-buffer@2.1.2"] },
  { name: "minimist", version: "1.2.8", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE] },
  { name: "side-channel", version: "1.1.1", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE] },
  { name: "deep-equal", version: "2.2.3", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE, "available-typed-arrays@1.0.7", "for-each@0.3.5", "has-proto@1.2.0", "has-symbols@1.1.0", "has-typed-arrays@1.0.1", "object.getownpropertydescriptors@2.1.8", "semver@6.3.1"] },
  { name: "call-bind", version: "1.0.9", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE, "es-value-fixtures@1.7.1", "for-each@0.3.5", "has-strict-mode@1.1.0", "object-inspect@1.13.4"] },
  { name: "traverse", version: "0.6.11", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE, "es-value-fixtures@1.7.1"] },
  { name: "json-stable-stringify", version: "1.3.0", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE] },
  { name: "concat-map", version: "0.0.2", runner: "tape", command: "tape 'test/**/*.js'", needs: [TAPE] },
  { name: "bl", version: "4.1.0", runner: "tape", command: "node test/test.js", needs: ["tape@4.17.0"] },
  { name: "split2", version: "4.2.0", runner: "tape", command: "tape test.js", needs: [TAPE, "callback-stream@1.1.0", "binary-split@1.0.5"] },
  { name: "fastq", version: "1.20.3", runner: "tape", command: "tape test/test.js test/promise.js", needs: [TAPE] },
  { name: "reusify", version: "1.1.0", runner: "tape", command: "tape test.js", needs: [TAPE] },
  { name: "hash-sum", version: "2.0.0", runner: "tape", command: "tape test.js", needs: [TAPE, "lodash@4.17.21"] },
  { name: "expand-template", version: "2.0.3", runner: "tape", command: "tape test.js", needs: [TAPE] },
  { name: "xtend", version: "4.0.2", runner: "tape", command: "node test.js", needs: [TAPE] },
  { name: "resolve", version: "1.22.8", runner: "tape", command: "tape test/core.js test/dotdot.js test/filter.js test/filter_sync.js test/mock.js test/mock_sync.js test/module_dir.js test/node-modules-paths.js test/node_path.js test/nonstring.js test/pathfilter.js test/precedence.js test/resolver.js test/resolver_sync.js test/shadowed_core.js test/subdirs.js", needs: [TAPE, "array.prototype.map@1.0.7", "copy-dir@1.3.0", "mkdirp@0.5.6", "mv@2.1.1", "object-keys@1.1.1", "rimraf@2.7.1", "semver@6.3.1", "tmp@0.0.31"] },
  { name: "@fastify/deepmerge", version: "3.2.4", runner: "tape", command: "tape test/*.js", needs: [TAPE] },
  { name: "secure-json-parse", version: "4.1.1", runner: "tape", command: 'tape "test/*.test.js"', needs: [TAPE] },
  { name: "fast-uri", version: "4.2.4", runner: "tape", command: "tape test/*.js", needs: [TAPE, "ajv@8.17.1"] },

  { name: "pumpify", version: "2.0.1", runner: "tape", command: "tape test.js", needs: [TAPE, "through2@2.0.5"] },
  { name: "from2", version: "2.3.0", runner: "tape", command: "node test", needs: ["tape@4.17.0"] },
  { name: "flush-write-stream", version: "2.0.0", runner: "tape", command: "tape test.js", needs: [TAPE] },
  { name: "stream-browserify", version: "3.0.0", runner: "tape", command: "node test", needs: [TAPE, "through@2.3.8", "safe-buffer@5.2.1"] },
  { name: "protocol-buffers", version: "5.0.0", runner: "tape", command: "tape test/*.js", needs: [TAPE] },
  { name: "varint", version: "6.0.0", runner: "tape", command: "node test.js", needs: [TAPE] },
  { name: "hyperquest", version: "2.1.3", runner: "tape", command: "tape test/*.js", needs: [TAPE] },
  { name: "path-browserify", version: "1.0.1", runner: "tape", command: "node test", needs: [TAPE] },
  { name: "commist", version: "3.2.0", runner: "tape", command: "tape test.js", needs: [TAPE, "minimist@1.2.8"] },
  { name: "help-me", version: "5.0.0", runner: "tape", command: "node test.js", needs: [TAPE, "commist@2.0.0", "concat-stream@2.0.0", "proxyquire@2.1.3"] },
  { name: "retimer", version: "4.0.0", runner: "tape", command: "tape test.js", needs: [TAPE] },

  { name: "fast-redact", version: "3.5.0", runner: "tap", command: "node test", needs: [TAP] },
  { name: "on-exit-leak-free", version: "2.1.2", runner: "tap", command: `set -e; for t in test/*.js; do node $t; done`, needs: [TAP], difference: "one of its tests calls for the garbage collector, which a browser does not let programs do." },
  { name: "through", version: "2.3.8", runner: "tap", command: "set -e; for t in test/*.js; do node $t; done", needs: ["tape@2.3.3", "from@0.1.7", "stream-spec@0.3.6"] },
  { name: "nopt", version: "3.0.6", runner: "tap", command: "node test/basic.js", needs: [TAP] },
  { name: "pem-jwk", version: "2.0.0", runner: "tap", command: "node test/test.js", needs: [TAP] },
  { name: "rfdc", version: "1.4.1", runner: "tap", command: "node test/index.js", needs: [TAP] },
  { name: "pump", version: "3.0.4", runner: "script", command: "node test-node.js" },
  { name: "sax", version: "0.6.1", runner: "script", command: "node test/index.js" },
  { name: "nodeunit", version: "0.11.3", runner: "script", command: "node ./bin/nodeunit", needs: ["should@3.3.2"] },
  { name: "vows", version: "0.8.3", runner: "script", command: "node ./bin/vows --spec" },
  { name: "mime", version: "1.6.0", runner: "script", command: "node src/test.js", needs: ["mime-db@1.31.0"] },

  { name: "md5", version: "2.3.0", runner: "mocha", command: "mocha test.js", needs: [MOCHA] },
  { name: "delegates", version: "1.0.0", runner: "mocha", command: "mocha --require should", needs: [MOCHA, "should@3.3.2"] },
  { name: "object-path", version: "0.11.8", runner: "mocha", command: "mocha test.js", needs: [MOCHA, CHAI] },
  { name: "flat", version: "5.0.2", runner: "mocha", command: "mocha -u tdd --reporter spec", needs: [MOCHA] },
  { name: "json-pointer", version: "0.6.2", runner: "mocha", command: "mocha -R spec", needs: [MOCHA, CHAI, "seamless-immutable@5.2.0"] },
  { name: "object-hash", version: "1.3.1", runner: "mocha", command: "mocha test", needs: [MOCHA] },
  { name: "damerau-levenshtein", version: "1.0.8", runner: "mocha", command: "mocha --use_strict", needs: [MOCHA] },
  { name: "passport-jwt", version: "4.0.1", runner: "mocha", command: "mocha --reporter spec --require test/bootstrap 'test/*test.js'", needs: [MOCHA, "chai@3.5.0", "chai-passport-strategy@1.0.1", "sinon@1.17.7"] },
  { name: "json-schema-traverse", version: "1.0.0", runner: "mocha", command: "mocha spec -R spec", needs: [MOCHA] },
  { name: "papaparse", version: "5.7.1", runner: "mocha", command: "mocha tests/node-tests.js tests/test-cases.js", needs: [MOCHA, CHAI] },
  { name: "dot", version: "1.1.3", runner: "mocha", command: "mocha test/*.js", needs: [MOCHA] },
  { name: "proxyquire", version: "2.1.3", runner: "mocha", command: "mocha", needs: [MOCHA, "should@3.3.2", "sinon@1.17.7", "native-hello-world@2.0.0"] },

  { name: "postcss-calc", version: "8.2.4", runner: "uvu", command: "uvu src/__tests__", needs: ["uvu@0.5.6", "postcss@8.4.49"] },
  { name: "process-warning", version: "5.1.1", runner: "jest", command: "jest --runInBand jest.test.js", needs: ["jest@29.7.0"] },
  { name: "hpagent", version: "1.2.0", runner: "ava", command: "ava -v test/*.test.js", needs: ["ava@4.3.3", "got@11.8.6", "needle@3.3.1", "node-fetch@2.7.0", "proxy@1.0.2", "simple-get@4.0.1"], difference: "fails in Node too: the certificates of its tests are not published." },
  { name: "tabwright-ava-sample", version: "1.0.0", folder: "ava", runner: "ava", command: "ava --tap", needs: ["ava@6.4.1"] },
  { name: "zod", version: "3.25.76", runner: "vitest", command: "vitest run src/v3/tests/string.test.ts", needs: ["vitest@3.2.4"], overrides: WASM_BUILDS },
];
