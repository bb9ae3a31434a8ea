// Packages of our own node_modules with all that they need, as files for the container.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = fileURLToPath(new URL("../../node_modules", import.meta.url));
const CODE = /\.(?:[cm]?js|json|sh)$/;

/** Texts by path, `node_modules/…`. */
export function packageFiles(names: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {};
  const seen = new Set<string>();
  const add = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const { dependencies = {} } = JSON.parse(readFileSync(join(MODULES, name, "package.json"), "utf8")) as { dependencies?: Record<string, string> };
    for (const entry of readdirSync(join(MODULES, name), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !CODE.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      files[`node_modules/${path.slice(MODULES.length + 1)}`] = readFileSync(path, "utf8");
    }
    for (const dependency of Object.keys(dependencies)) add(dependency);
  };
  for (const name of names) add(name);
  return files;
}
