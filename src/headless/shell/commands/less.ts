// less and more: a pager where somebody looks at a terminal and has a keyboard, cat where not.
import { Pager, type PagerOptions, keysOf } from "../pager.ts";
import type { ShellState } from "../state.ts";
import { sleep } from "../task.ts";
import type { OwnCommand } from "./index.ts";
import { input, STREAMS } from "./streams.ts";

const ALTERNATE = ["\u001b[?1049h", "\u001b[?1049l"] as const;

const AHEAD_MS = 50;

interface Given {
  readonly flags: string;
  /** What `+` says to do first: `G`, a line, `/pattern`. */
  readonly first: string;
  readonly paths: readonly string[];
}

function given(state: ShellState, name: string, args: readonly string[]): Given {
  let flags = name === "less" ? (state.vars.get("LESS") ?? "").replaceAll(/[-\s]/g, "") : "";
  let first = "";
  const paths: string[] = [];
  const end = args.indexOf("--");
  for (const [i, arg] of args.entries()) {
    if (end >= 0 && i > end) paths.push(arg);
    else if (arg.startsWith("+")) first = arg.slice(1);
    else if (arg === "--chop-long-lines") flags += "S";
    else if (/^--raw-control-chars$/i.test(arg)) flags += "R";
    else if (/^-[A-Za-z]+$/.test(arg)) flags += arg.slice(1);
    else if (arg === "-" || !arg.startsWith("-")) paths.push(arg);
  }
  return { flags, first, paths };
}

async function page(state: ShellState, name: "less" | "more", args: readonly string[]): Promise<number> {
  const { flags, first, paths } = given(state, name, args);
  const { host } = state;
  const { keyboard } = host;
  const shown = state.fds.get(1)?.stream.terminal === true && keyboard !== undefined;
  if (paths.length === 0 && state.fds.get(0)?.stream.terminal !== false) {
    await state.write(2, name === "less" ? 'Missing filename ("less --help" for help)\n' : "more: bad usage\nTry 'more --help' for more information.\n");
    return 1;
  }
  if (!shown) return STREAMS.cat(state, paths);
  let code = 0;
  for (const path of paths.length > 0 ? paths : ["-"]) {
    const file = await input(state, name, path, (why) => (why === "Is a directory" ? `${path} is a directory` : `${path}: ${why}`));
    if (!file) {
      code = 1;
      continue;
    }
    const size = (): { rows: number; columns: number } => ({ rows: host.terminal?.rows ?? 24, columns: host.terminal?.cols ?? 80 });
    const has = (flag: string): boolean => flags.includes(flag);
    const options: PagerOptions = { name: path === "-" ? "" : path, chops: has("S"), colors: has("R") || has("r"), numbers: has("N"), anyCase: has("i") || has("I"), endsAtEnd: name === "more" };
    const pager = new Pager(options, size());
    const over = new AbortController();
    const signal = AbortSignal.any([state.signal, over.signal]);
    const decoder = new TextDecoder();
    /** Something has come that is not drawn yet. */
    let fresh = false;
    const take = (piece: Uint8Array | undefined): void => {
      fresh = true;
      if (piece) pager.add(decoder.decode(piece, { stream: true }));
      else pager.end();
    };
    try {
      // What fits is not paged, if so asked; nor by more.
      if (has("F") || name === "more") {
        while (pager.wantsMore) take(await file.stream.read(signal));
        if (pager.fits) {
          await state.write(1, pager.text);
          continue;
        }
      }
      host.rawTerminal(true);
      if (!has("X")) await state.write(1, ALTERNATE[0]);
      if (first.startsWith("/")) pager.search(first.slice(1));
      else for (const key of /^\d+$/.test(first) ? `${first}g` : first) pager.key(key);
      let key: Promise<Uint8Array | undefined> | undefined;
      let more: Promise<void> | undefined;
      let keys: string[] = [];
      for (let open = true; open; ) {
        if (pager.wantsMore) more ??= file.stream.read(signal).then(take).finally(() => (more = undefined));
        more?.catch(() => undefined); // who waits is told; nobody may wait for it any more
        if (keys.length > 0) {
          // Keys typed ahead find what is there already; they do not wait for a pipe.
          if (more) await Promise.race([more, sleep(AHEAD_MS, signal)]);
          open = pager.key(keys.shift() ?? "");
          continue;
        }
        pager.resize(size());
        fresh = false;
        await state.write(1, pager.draw());
        if (fresh) continue;
        key ??= keyboard.read(signal);
        key.catch(() => undefined);
        const sent = await Promise.race([key, ...(more ? [more.then(() => "more" as const)] : [])]);
        if (sent === "more") continue;
        key = undefined;
        keys = keysOf(new TextDecoder().decode(sent));
        // Its end is the terminal's end.
        if (!sent) open = false;
      }
      // What was typed for the next reader.
      keyboard.unread(new TextEncoder().encode(keys.join("")));
    } finally {
      over.abort();
      host.rawTerminal(false);
      await state.write(1, has("X") ? "\r\u001b[K" : ALTERNATE[1]);
      file.release();
    }
  }
  return code;
}

export const LESS = {
  less: (state, args) => page(state, "less", args),
  more: (state, args) => page(state, "more", args),
} satisfies Readonly<Record<string, OwnCommand>>;
