// TypeScript's own compiler, for the files that have more than types in them: decorators, namespaces. A script of its own,
// larger than all the rest; a process loads it when it meets such a file.
import ts from "typescript-5";
import { offerLibrary } from "../libraries.ts";
import type { TypeScriptTransform } from "../node/loader/typescript.ts";

type Config = Record<string, unknown> & { readonly extends?: unknown; readonly compilerOptions?: Record<string, unknown> };

/** What a tsconfig.json may say about the code that comes out; the rest is for checking types. */
const KEPT = ["experimentalDecorators", "emitDecoratorMetadata", "useDefineForClassFields", "preserveConstEnums", "verbatimModuleSyntax"];

const MODULE_SYNTAX = /^\s*(?:import|export)\b/m;

/** The options of a tsconfig.json and of what it extends by a relative path. */
function optionsOf(path: string | undefined, readFile: (path: string) => string | undefined, depth = 0): Record<string, unknown> {
  if (path === undefined || depth > 8) return {};
  const { config } = ts.readConfigFile(path, readFile) as { config?: Config };
  const parents = [config?.extends].flat().filter((x): x is string => typeof x === "string" && x.startsWith("."));
  const inherited = parents.map((parent) => {
    const target = new URL(parent, `file://${path}`).pathname;
    return optionsOf(target.endsWith(".json") ? target : `${target}.json`, readFile, depth + 1);
  });
  return Object.assign({}, ...inherited, config?.compilerOptions ?? {}) as Record<string, unknown>;
}

export const transform: TypeScriptTransform = (source, path, { tsconfig, readFile }) => {
  const given = optionsOf(tsconfig, readFile);
  const old = /^(es3|es5|es6|es20(15|16|17|18|19|20|21))$/i.test(String(given["target"]));
  const options = {
    ...(old ? { useDefineForClassFields: false } : {}),
    ...Object.fromEntries(KEPT.filter((key) => key in given).map((key) => [key, given[key]])),
    module: ts.ModuleKind.Preserve, target: ts.ScriptTarget.ES2022, sourceMap: true, isolatedModules: true,
  };
  const { outputText, sourceMapText = "", diagnostics = [] } = ts.transpileModule(source, { fileName: path, compilerOptions: options, reportDiagnostics: true });
  const [mistake] = diagnostics;
  if (mistake) {
    const at = ts.getLineAndCharacterOfPosition(ts.createSourceFile(path, source, ts.ScriptTarget.ESNext), mistake.start ?? 0);
    throw Object.assign(new SyntaxError(ts.flattenDiagnosticMessageText(mistake.messageText, "\n")), { typescriptAt: { line: at.line + 1, column: at.character } });
  }
  const code = outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
  // `export {}` and imports of types are gone; the file is a module all the same.
  const lost = !MODULE_SYNTAX.test(code) && MODULE_SYNTAX.test(source) && ts.isExternalModule(ts.createSourceFile(path, source, ts.ScriptTarget.ESNext));
  return { code: lost && !/\bimport\b.*=\s*require\b|\bexport\s*=/.test(source) ? `${code}export {};\n` : code, map: sourceMapText };
};

offerLibrary<"typescript">(transform);
