// The lockfiles of yarn and pnpm, read for one thing: which versions were chosen. `yarn install` and `pnpm install` choose the
// same ones again; trees are laid out as npm does.
import semver from "semver";

export interface LockedVersions {
  /** The version that `name@wanted` was given, else the newest of those chosen that fits; undefined where none does. */
  pick(name: string, wanted: string): string | undefined;
}

/** Of yarn.lock (1 and later) or pnpm-lock.yaml, told apart by what is in them. */
export function readOtherLock(contents: string): LockedVersions {
  const exact = new Map<string, string>();
  const versions = new Map<string, string[]>();
  const add = (name: string, version: string): void => void versions.set(name, [...(versions.get(name) ?? []), version]);
  if (/^lockfileVersion:/m.test(contents)) {
    const packages = /^packages:\s*\n([\s\S]*?)(?=^\S|(?![\s\S]))/m.exec(contents)?.[1] ?? "";
    for (const match of packages.matchAll(/^ {2}'?\/?((?:@[^/@\s]+\/)?[^/@\s']+)[@/](\d[^(':\s/]*)/gm)) add(match[1] ?? "", match[2] ?? "");
  } else {
    // Entries: the ranges at the margin, the version below them.
    for (const match of contents.matchAll(/^("?(?:@[^/\s]+\/)?[^@\s#"]+@.*):\s*\n {2}version:?\s+"?([^"\s]+)"?/gm)) {
      const version = match[2] ?? "";
      for (const asked of (match[1] ?? "").replaceAll('"', "").split(/,\s*/)) {
        const at = asked.indexOf("@", 1);
        const name = asked.slice(0, at);
        exact.set(`${name}@${asked.slice(at + 1).replace(/^npm:(?!.*@)/, "")}`, version);
        add(name, version);
      }
    }
  }
  return {
    pick: (name, wanted) => exact.get(`${name}@${wanted}`) ?? semver.maxSatisfying(versions.get(name) ?? [], wanted, true) ?? undefined,
  };
}
