// The one gate every path passes before it names a file of the project. What comes out is relative, `/`-separated and
// normalised; what would leave the project, or could be read two ways, is refused with `project/path`.
import { AppError } from "../base/errors.ts";

/** Where containers put the project; absolute paths below it are the project's own. */
const WORK_FOLDER = /^\/home\/(?:projects\/[^/]+|project)(?:\/|$)/;
const CONTROL = /\p{Cc}/u;

function refuse(path: string, reason: string): never {
  const shown = JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
  throw new AppError("project/path", `The path ${shown} ${reason}. Name a file inside the project, such as "src/index.js".`);
}

/**
 * `./src\a.js` → `src/a.js`; `/home/projects/demo/src/a.js` → `src/a.js`; the project itself → `""`.
 * Absolute paths elsewhere, drive letters, `..` (even where it would stay inside) and control characters are refused.
 */
export function normalizePath(path: string): string {
  if (CONTROL.test(path)) refuse(path, "holds a control character");
  const slashed = path.replaceAll("\\", "/").replace(WORK_FOLDER, "");
  if (slashed.startsWith("/") || /^[A-Za-z]:/.test(slashed)) refuse(path, "is absolute and outside the project");
  const segments = slashed.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) refuse(path, 'contains ".."');
  return segments.join("/");
}

/** As `normalizePath`, but a file must be named. */
export function normalizeFilePath(path: string): string {
  const normal = normalizePath(path);
  if (normal === "") refuse(path, "names no file");
  return normal;
}

/** Folders that are never part of a project: dependencies and version control. */
export function isIgnoredPath(path: string): boolean {
  return path.split("/").some((segment) => segment === "node_modules" || segment === ".git");
}

const TEST_FOLDERS = new Set(["test", "tests", "__tests__", "spec", "specs"]);

/** Is this a file whose job is to check others? By folder (`test/`, `__tests__/`) or by name (`*.test.ts`, `*.spec.js`). */
export function isTestFile(path: string): boolean {
  const segments = path.split("/");
  const name = segments.at(-1) ?? "";
  return segments.slice(0, -1).some((segment) => TEST_FOLDERS.has(segment)) || /[._-](test|spec)\.[cm]?[jt]sx?$/.test(name) || /^test\.[cm]?[jt]s$/.test(name);
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Upper and lower case may not tell two files apart: some users' disks do not. */
export function caseKey(path: string): string {
  return path.normalize("NFC").toLowerCase();
}
