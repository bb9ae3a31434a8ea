// Options and parameters of the shell: set, shopt, shift, unset.
import { elementKey } from "../expand.ts";
import { quoteWord } from "../parameters.ts";
import type { ShellState } from "../state.ts";
import { ReadonlyError } from "../variables.ts";
import type { Builtin } from "./index.ts";

const LETTERS: Readonly<Record<string, string>> = { e: "errexit", u: "nounset", x: "xtrace", f: "noglob", C: "noclobber", v: "verbose", a: "allexport", n: "noexec", E: "errtrace", T: "functrace", b: "notify", h: "hashall", m: "monitor", B: "braceexpand", H: "histexpand", P: "physical" };
const LONG = new Set([...Object.values(LETTERS), "pipefail", "posix", "emacs", "vi", "ignoreeof", "history", "keyword", "nolog", "onecmd", "privileged", "interactive-comments"]);
const SHOPTS = new Set(
  "autocd cdable_vars cdspell checkhash checkjobs checkwinsize cmdhist complete_fullquote direxpand dirspell dotglob execfail expand_aliases extdebug extglob extquote failglob force_fignore globasciiranges globskipdots globstar gnu_errfmt histappend histreedit histverify hostcomplete huponexit inherit_errexit interactive_comments lastpipe lithist localvar_inherit localvar_unset login_shell mailwarn no_empty_cmd_completion nocaseglob nocasematch noexpand_translation nullglob patsub_replacement progcomp promptvars restricted_shell shift_verbose sourcepath varredir_close xpg_echo".split(" "),
);

/** Options in front of the arguments; returns what comes after, or undefined when there was no `--` and nothing after. */
export async function setOptions(state: ShellState, args: readonly string[]): Promise<{ readonly rest: readonly string[] | undefined; readonly code: number }> {
  const put = (name: string, on: boolean): void => void (on ? state.options.add(name) : state.options.delete(name));
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return { rest: args.slice(i + 1), code: 0 };
    if (arg === "-") return { rest: args.slice(i + 1), code: 0 };
    if (!/^[-+]./.test(arg)) return { rest: args.slice(i), code: 0 };
    const on = arg.startsWith("-");
    for (const letter of arg.slice(1)) {
      if (letter === "o") {
        const name = args[++i];
        if (name === undefined) {
          for (const known of [...LONG].sort()) await state.write(1, on ? `${known.padEnd(15)}\t${state.options.has(known) ? "on" : "off"}\n` : `set ${state.options.has(known) ? "-" : "+"}o ${known}\n`);
          continue;
        }
        if (!LONG.has(name)) {
          await state.complain(`set: ${name}: invalid option name`);
          return { rest: undefined, code: 2 };
        }
        put(name, on);
        continue;
      }
      const name = LETTERS[letter];
      if (name === undefined) {
        await state.complain(`set: -${letter}: invalid option`);
        return { rest: undefined, code: 2 };
      }
      put(name, on);
    }
  }
  return { rest: undefined, code: 0 };
}

export const OPTIONS = {
  async set(state, args) {
    if (args.length === 0) {
      for (const name of state.vars.names()) {
        const text = state.vars.get(name);
        if (text !== undefined) await state.write(1, `${name}=${/^[\w@%+=:,./-]*$/.test(text) ? text : quoteWord(text)}\n`);
      }
      return 0;
    }
    const { rest, code } = await setOptions(state, args);
    if (rest) state.positional = [...rest];
    return code;
  },
  async shopt(state, args) {
    const flags = args.filter((arg) => arg.startsWith("-")).join("");
    const names = args.filter((arg) => !arg.startsWith("-"));
    const set = flags.includes("o") ? state.options : state.shopts;
    let code = 0;
    for (const name of names) {
      if (!(flags.includes("o") ? LONG : SHOPTS).has(name)) {
        await state.complain(`shopt: ${name}: invalid shell option name`);
        code = 1;
      } else if (flags.includes("s")) {
        set.add(name);
        if (name === "expand_aliases") set.add("expand_aliases_set");
      } else if (flags.includes("u")) set.delete(name);
      else {
        if (!set.has(name)) code = 1;
        if (!flags.includes("q")) await state.write(1, `${name.padEnd(15)}\t${set.has(name) ? "on" : "off"}\n`);
      }
    }
    if (names.length === 0 && !flags.includes("q")) for (const name of [...SHOPTS].sort()) await state.write(1, `${name.padEnd(15)}\t${set.has(name) ? "on" : "off"}\n`);
    return code;
  },
  async shift(state, [given = "1"]) {
    const count = Number(given);
    if (!/^\d+$/.test(given)) {
      await state.complain(`shift: ${given}: numeric argument required`);
      return 1;
    }
    if (count > state.positional.length) return 1;
    state.positional = state.positional.slice(count);
    return 0;
  },
  async unset(state, args) {
    let code = 0;
    const flags = args.filter((arg) => /^-[fvn]$/.test(arg)).join("");
    for (const name of args.filter((arg) => !/^-[fvn]$/.test(arg))) {
      const match = /^(\w+)\[([^]*)\]$/.exec(name);
      try {
        if (flags.includes("f")) state.functions.delete(name);
        else if (match) state.vars.unsetElement(match[1] ?? "", await elementKey(state, match[1] ?? "", match[2] ?? ""));
        else if (state.vars.find(name) || flags.includes("v")) state.vars.unset(name);
        else state.functions.delete(name);
      } catch (error) {
        if (!(error instanceof ReadonlyError)) throw error;
        await state.complain(`unset: ${error.message}`);
        code = 1;
      }
    }
    return code;
  },
} satisfies Readonly<Record<string, Builtin>>;
