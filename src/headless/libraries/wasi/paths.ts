// From a path that the program names, below a folder that it has open, to a path of the file system: never out of that
// folder by `..`, by an absolute path or by a link that is followed.
import { WasiError } from "./constants.ts";
import { type Descriptor, normalize } from "./descriptors.ts";
import type { FileFunctions } from "./tools.ts";

/** As many as Node's own follows. */
const MOST_LINKS = 32;
export const FOLLOW = 1;

/** Where it is, and what the program would call it. */
export interface Place {
  readonly path: string;
  readonly real: string;
}

/** Throws ENOTCAPABLE for a path that leads out, ELOOP for links without end. */
export function resolve(fs: FileFunctions, folder: Descriptor, given: string, flags: number): Place {
  if (given.startsWith("/")) throw new WasiError("ENOTCAPABLE");
  let place = placeIn(folder, joined(folder.path, given));
  if ((flags & FOLLOW) === 0) return place;
  for (let links = 0; ; links++) {
    if (links > MOST_LINKS) throw new WasiError("ELOOP");
    const target = linkAt(fs, place.real);
    if (target === undefined) return place;
    place = placeIn(folder, target.startsWith("/") ? target : joined(place.path, `../${target}`));
  }
}

const joined = (folder: string, path: string): string => (folder === "." ? path : `${folder.replace(/\/$/, "")}/${path}`);

function linkAt(fs: FileFunctions, real: string): string | undefined {
  try {
    return fs.readlinkSync(real) as string;
  } catch (error) {
    if (["EINVAL", "ENOENT"].includes((error as { code?: string }).code ?? "")) return undefined;
    throw error;
  }
}

function placeIn(folder: Descriptor, given: string): Place {
  const path = normalize(given);
  const rest = below(folder.path, path);
  if (rest === undefined) throw new WasiError("ENOTCAPABLE");
  return { path, real: rest === "" ? folder.realPath : `${folder.realPath.replace(/\/$/, "")}/${rest}` };
}

/** The part below the folder; undefined when it is not in it. */
function below(folder: string, path: string): string | undefined {
  // Of a folder called `.` all is below but what begins with `..`, an absolute path too.
  if (folder === ".") return path === ".." || path.startsWith("../") ? undefined : path.replace(/^\/|^\.$/, "");
  if (path === folder) return "";
  const start = folder === "/" ? "/" : `${folder}/`;
  return path.startsWith(start) ? path.slice(start.length) : undefined;
}
