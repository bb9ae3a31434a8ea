// What a dependency asks for, in npm's notation: `^1.2.0`, `latest`, `npm:other@2`, `file:../lib`, `https://…/x.tgz`.
import semver from "semver";
import { isPackageName } from "../registry/question.ts";
import { NpmError } from "./error.ts";

export type Spec =
  | { readonly type: "version" | "range" | "tag"; readonly name: string; readonly wanted: string }
  | { readonly type: "alias"; readonly name: string; readonly target: Extract<Spec, { readonly type: "version" | "range" | "tag" }> }
  /** A path as written, without `file:`; relative ones start at the folder of the package that asks. */
  | { readonly type: "directory" | "file"; readonly name: string; readonly path: string }
  | { readonly type: "remote"; readonly name: string; readonly url: string }
  | { readonly type: "git"; readonly name: string; readonly url: string };

export function checkName(name: string): string {
  if (isPackageName(name)) return name;
  throw new NpmError("EINVALIDPACKAGENAME", `Invalid package name "${name}" of package "${name}": name can only contain URL-friendly characters.`);
}

const parsed = new Map<string, Spec>();

/** `wanted` as package.json has it beside `name`. */
export function parseSpec(name: string, wanted: string): Spec {
  const key = `${name}\0${wanted}`;
  const known = parsed.get(key);
  if (known) return known;
  const spec = parse(name, wanted.trim());
  parsed.set(key, spec);
  return spec;
}

function parse(name: string, wanted: string): Spec {
  if (wanted.startsWith("npm:")) {
    const target = parseArgument(wanted.slice(4));
    if (target.type !== "version" && target.type !== "range" && target.type !== "tag") throw new NpmError("EINVALIDTAGNAME", `nested aliases not supported: ${name}@${wanted}`);
    return { type: "alias", name, target };
  }
  if (/^(git[+:@]|github:|gitlab:|bitbucket:|gist:|ssh:)/.test(wanted) || /^https?:.*\.git(#.*)?$/.test(wanted) || /^[^@./~][^/@:]*\/[^/@:]+$/.test(wanted)) {
    return { type: "git", name, url: wanted };
  }
  if (/^https?:\/\//.test(wanted)) return { type: "remote", name, url: wanted };
  if (/^(file:|\.{1,2}(\/|$)|\/|~\/)/.test(wanted)) {
    const path = wanted.replace(/^file:(\/\/)?/, "").replace(/^\/(?=\.{1,2}\/)/, "");
    return { type: /\.(tgz|tar\.gz|tar)$/i.test(path) ? "file" : "directory", name, path };
  }
  // Of pnpm and yarn: the project's own package, whose link has its name.
  if (wanted.startsWith("workspace:")) return parse(name, /^workspace:[*^~]?$/.test(wanted) ? "*" : wanted.slice("workspace:".length));
  if (wanted === "") return { type: "range", name, wanted: "*" };
  const version = semver.valid(wanted, true);
  if (version !== null) return { type: "version", name, wanted: version };
  if (semver.validRange(wanted, true) !== null) return { type: "range", name, wanted };
  if (encodeURIComponent(wanted) !== wanted) throw new NpmError("EINVALIDTAGNAME", `Invalid tag name "${wanted}" of package "${name}@${wanted}": Tags may not have any characters that encodeURIComponent encodes.`);
  return { type: "tag", name, wanted };
}

/** A word of the command line: `name`, `name@1`, `@scope/name@tag`, `alias@npm:name`, a path or an address. Nameless ones have `name` "". */
export function parseArgument(word: string): Spec {
  if (/^(file:|\.{1,2}(\/|$)|\/|~\/|https?:|git[+:@])/.test(word) || (/\.(tgz|tar\.gz|tar)$/i.test(word) && !word.includes("@"))) {
    return parse("", /^(?!file:)[^/]*\.(tgz|tar\.gz|tar)$/i.test(word) ? `./${word}` : word);
  }
  const at = word.indexOf("@", 1);
  const name = at < 0 ? word : word.slice(0, at);
  if (at < 0 && /^[^@/]+\/[^/]+$/.test(word)) return { type: "git", name: "", url: word };
  return parse(checkName(name), at < 0 ? "" : word.slice(at + 1));
}
