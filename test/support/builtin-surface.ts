// A program that prints every name of every builtin: `module.name`, `module.Class.static`, `module.Class#method`, with what
// it is. Run by real Node and by the container, the difference is what the container lacks.
import { runAsInBrowser, runInNode } from "./browser-realm.ts";

export const SURFACE_PROGRAM = `
const { builtinModules } = require("module");
// The container's stand-ins for what it lacks say so in their own text.
const refuses = (value) => /throw unsupported[(]/.test(Function.prototype.toString.call(value));
const found = {};
const kind = (value) => (typeof value === "function" && refuses(value) ? "refused" : typeof value === "function" ? (/^class\\b/.test(Function.prototype.toString.call(value)) || Object.getOwnPropertyNames(value.prototype ?? {}).length > 1 ? "class" : "function") : typeof value);
const skip = new Set(["length", "name", "prototype", "arguments", "caller", "constructor", "default"]);
const read = (object, name) => {
  const descriptor = Object.getOwnPropertyDescriptor(object, name);
  if (!descriptor) return undefined;
  if (!("value" in descriptor)) {
    try { return descriptor.get ? descriptor.get.call(object) : undefined; } catch { return undefined; }
  }
  return descriptor.value;
};
const visit = (path, object, depth) => {
  for (const name of Object.getOwnPropertyNames(object)) {
    if (skip.has(name) || name.startsWith("_") || /^-?\\d+$/.test(name)) continue;
    const value = read(object, name);
    if (value === undefined && typeof object !== "function") { found[path + "." + name] = "undefined"; continue; }
    found[path + "." + name] = kind(value);
    if (depth === 0) continue;
    if (typeof value === "function" && value.prototype && value !== Object && value !== Function) {
      if (kind(value) === "class") visit(path + "." + name, value, 0);
      for (const method of Object.getOwnPropertyNames(value.prototype)) {
        if (skip.has(method) || method.startsWith("_")) continue;
        const descriptor = Object.getOwnPropertyDescriptor(value.prototype, method);
        found[path + "." + name + "#" + method] = "value" in descriptor ? (typeof descriptor.value === "function" && refuses(descriptor.value) ? "refused" : typeof descriptor.value) : "accessor";
      }
    }
  }
};
process.removeAllListeners("warning");
// Loads the libraries behind a half of crypto and all of readline and wasi: what is in them counts as there.
require("crypto").generatePrimeSync(8);
require("readline");
require("wasi");
// Node's private modules last: loaded first they leave gaps in those that load them.
for (const name of [...builtinModules.filter((each) => !each.startsWith("_")), "node:test", ...builtinModules.filter((each) => each.startsWith("_"))]) {
  let module;
  try { module = require(name); } catch { continue; }
  if (typeof module === "object" || typeof module === "function") visit(name.replace("node:", ""), module, name === "constants" || name === "process" ? 0 : 1);
}
const process_ = {};
for (let at = process; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) for (const name of Object.getOwnPropertyNames(at)) if (!skip.has(name) && !name.startsWith("_")) process_["process." + name] = kind(process[name]);
Object.assign(found, process_);
for (const name of Object.getOwnPropertyNames(globalThis)) if (!skip.has(name)) found["globalThis." + name] = kind(globalThis[name]);
for (const name of Object.keys(console)) found["console." + name] = kind(console[name]);
for (const name of builtinModules) found["builtinModules." + name] = "module";
process.stdout.write(JSON.stringify(found));
`;

/** By module, written as missing.json has it. Names that only refuse are missing too. */
export async function missingNames(): Promise<Record<string, string[]>> {
  const files = { "surface.js": SURFACE_PROGRAM };
  const [real, ours] = await Promise.all([runInNode(files, ["surface.js"]), runAsInBrowser(files, ["surface.js"])]);
  if (ours.code !== 0) throw new Error(ours.stderr);
  const [there, here] = [real, ours].map(({ stdout }) => JSON.parse(stdout) as Record<string, string>) as [Record<string, string>, Record<string, string>];
  const missing: Record<string, string[]> = {};
  for (const [path, kind] of Object.entries(there)) {
    if (path in here && here[path] !== "refused") continue;
    const at = path.search(/[.#]/);
    const name = path.slice(at + 1);
    (missing[path.slice(0, at)] ??= []).push(kind === "function" ? `${name}()` : kind === "class" ? `new ${name}` : name);
  }
  return missing;
}
