// Code given to `new Function` may hold an `import()`; there the browser would ask its own loader. The constructor is put
// behind one that gives such code ours, which resolves from the file that called, as in Node.
import { parse as parseCode } from "../later/parser.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { urlToFile } from "../file-url.ts";
import { resolvePath } from "../../posix-path.ts";
import { readModule } from "./references.ts";

type FunctionClass = FunctionConstructor;

/** A name that no program has. */
const IMPORT = "__tabwrightFunctionImport";

/** Replaces the constructors on the realm's global object. For a Worker that is one process. */
export function guardFunctionCode(runtime: Runtime): void {
  const Plain = Function;
  const classes = [Plain, Object.getPrototypeOf(async () => undefined).constructor as FunctionClass];
  for (const Real of classes) {
    const make = (args: unknown[], target: AnyFunction): unknown => {
      const code = String(args.at(-1) ?? "");
      if (!/\bimport\s*\(/.test(code)) return Reflect.construct(Real, args, target);
      const places = dynamicImports(code);
      let text = code;
      for (const at of places.reverse()) text = `${text.slice(0, at)}${IMPORT}${text.slice(at + "import".length)}`;
      const importer = importerOf(runtime);
      const names = args.slice(0, -1).map(String);
      const inner = Real === Plain ? "function" : "async function";
      return Plain(IMPORT, `return (${inner} anonymous(${names.join(",")}\n) {\n${text}\n})`)(importer) as unknown;
    };
    const Guarded: FunctionClass = new Proxy(Real, {
      apply: (_, __, args: unknown[]) => make(args, Real as unknown as AnyFunction),
      construct: (_, args: unknown[], target) => make(args, (target as unknown) === Guarded ? (Real as unknown as AnyFunction) : (target as AnyFunction)) as object,
    });
    Object.defineProperty(Real.prototype as object, "constructor", { value: Guarded, writable: true, configurable: true });
    if (Real === Plain) (runtime.realm.global as Dict)["Function"] = Guarded;
  }
}

function dynamicImports(code: string): number[] {
  const head = "async function* f() {\n";
  try {
    const program = parseCode(`${head}${code}\n}`, { ecmaVersion: "latest", sourceType: "script" });
    return readModule(program as never, new Set()).dynamicImports.map((at) => at - head.length).sort((a, b) => a - b);
  } catch (error) {
    // The engine will say what is wrong.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function importerOf(runtime: Runtime): (specifier: unknown) => Promise<unknown> {
  const place = runtime.sources.here();
  const label = place?.label ?? resolvePath("[eval]", runtime.cwd);
  const file = label.startsWith("file:") ? urlToFile(label) : label;
  return (specifier) => runtime.loader.import(String(specifier), file);
}
