// Written by the container's npm in place of @swc/core's native code: the same functions by @swc/wasm.
const { readFileSync } = require("node:fs");
const wasm = require("./wasm.js");

const optionsOf = (bytes) => JSON.parse(Buffer.from(bytes).toString());
const programOf = (text) => {
  const parsed = JSON.parse(text);
  return parsed.program ?? parsed;
};
const fileOptions = (path, bytes) => ({ filename: path, ...optionsOf(bytes) });

const sync = {
  transformSync: (source, isProgram, options) => wasm.transformSync(isProgram ? programOf(source) : source, optionsOf(options)),
  transformFileSync: (path, _isProgram, options) => wasm.transformSync(readFileSync(path, "utf8"), fileOptions(path, options)),
  parseSync: (source, options) => JSON.stringify(wasm.parseSync(source, optionsOf(options))),
  parseFileSync: (path, options) => JSON.stringify(wasm.parseSync(readFileSync(path, "utf8"), optionsOf(options))),
  printSync: (program, options) => wasm.printSync(programOf(program), optionsOf(options)),
  minifySync: (source, options) => wasm.minifySync(Buffer.from(source).toString(), optionsOf(options)),
};
const absent = (name) => () => {
  throw new Error(`@swc/core's ${name} needs native code, and the container runs its WebAssembly build, which has none.`);
};

module.exports = {
  ...sync,
  ...Object.fromEntries(Object.entries(sync).map(([name, run]) => [name.slice(0, -4), async (...args) => run(...args)])),
  ...Object.fromEntries(["analyze", "bundle", "newMangleNameCache", "initCustomTraceSubscriber"].map((name) => [name, absent(name)])),
  getTargetTriple: () => "wasm32-unknown-unknown",
};
