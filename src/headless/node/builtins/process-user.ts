// Who a process runs as: the user 1000 of a machine of three. It may become itself; for anything else it lacks the right.
import { checkInteger, invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { Dict } from "../runtime.ts";

export const USER_ID = 1000;

const NAMES: Readonly<Record<string, number>> = { root: 0, user: USER_ID, nobody: 65_534, nogroup: 65_534 };
const MAX_ID = 2 ** 32 - 1;
const EPERM = 1;

const refused = (syscall: string): Error => Object.assign(new Error(`EPERM, Operation not permitted`), { errno: EPERM, code: "EPERM", syscall });

/** A number or a known name, as a number. */
function idOf(value: unknown, name: string, kind: "User" | "Group"): number {
  if (typeof value === "number") {
    checkInteger(value, name, 0, MAX_ID);
    return value;
  }
  if (typeof value !== "string") throw invalidArgType(name, ["number", "string"], value);
  const id = Object.hasOwn(NAMES, value) ? NAMES[value] : undefined;
  if (id === undefined) throw nodeError(Error, "ERR_UNKNOWN_CREDENTIAL", `${kind} identifier does not exist: ${value}`);
  return id;
}

export function userFunctions(): Dict {
  const get = (): number => USER_ID;
  const set = (syscall: string, kind: "User" | "Group") => (value: unknown): void => {
    if (idOf(value, "id", kind) !== USER_ID) throw refused(syscall);
  };
  return {
    getuid: get, geteuid: get, getgid: get, getegid: get, getgroups: () => [USER_ID],
    setuid: set("setuid", "User"), seteuid: set("seteuid", "User"), setgid: set("setgid", "Group"), setegid: set("setegid", "Group"),
    setgroups: (groups: unknown) => {
      if (!Array.isArray(groups)) throw invalidArgType("groups", "Array", groups);
      for (const [k, group] of groups.entries()) {
        if (typeof group === "number" && group < 0) throw outOfRange(`groups[${k}]`, `>= 0 && <= ${MAX_ID}`, group);
        idOf(group, `groups[${k}]`, "Group");
      }
      throw refused("setgroups");
    },
    initgroups: (user: unknown, extraGroup: unknown) => {
      for (const [name, value] of [["user", user], ["extraGroup", extraGroup]] as const) if (typeof value !== "number" && typeof value !== "string") throw invalidArgType(name, ["number", "string"], value);
      idOf(extraGroup, "extraGroup", "Group");
      idOf(user, "user", "User");
      throw refused("initgroups");
    },
  };
}
