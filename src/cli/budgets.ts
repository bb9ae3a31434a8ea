// A vite plugin: what a reader downloads, held to a budget by the build. Each line is the JavaScript that an entry needs
// before it does anything: the chunk and all it imports statically, gzip'd, without what an earlier line brought already.
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

interface Budget {
  readonly what: string;
  /** End of the path of the module that the chunk is made of. */
  readonly module: string;
  /** KiB, gzip'd. */
  readonly limitKiB: number;
  /** Of another line: what is on the page already. */
  readonly after?: string;
}

const PAGE = "before first paint";
/** By its whole path: the widget's page and the container's are called index.html too. */
const ROOT_PAGE = fileURLToPath(new URL("../../index.html", import.meta.url));

/** A part that is not in the build has no line. The widget's loader is a build of its own, which checks its size (embed-loader.ts). */
const BUDGETS: readonly Budget[] = [
  { what: PAGE, module: ROOT_PAGE, limitKiB: 50 },
  { what: "editor", module: "/ui/work/editor.ts", limitKiB: 200, after: PAGE },
  { what: "terminal", module: "/ui/work/terminal-screen.ts", limitKiB: 95, after: PAGE },
  // What the container loads before its first command: 390.6 KiB (400 kB) together.
  { what: "container's page", module: "/headless/index.html", limitKiB: 8 },
  { what: "container's kernel", module: "/headless/frame.html", limitKiB: 32 },
  { what: "Node in the container", module: "/headless/node-worker.ts", limitKiB: 350.6 },
];

interface Chunk {
  readonly fileName: string;
  readonly facadeModuleId: string | null;
  readonly imports: readonly string[];
  readonly code: string;
}

/** One budget and what the build takes of it; bytes gz. */
export interface BudgetLine {
  readonly what: string;
  readonly bytes: number;
  readonly limitBytes: number;
}

/** The lines for what is in the build. */
export function measureBudgets(chunks: readonly Chunk[], budgets: readonly Budget[] = BUDGETS): readonly BudgetLine[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const closure = (budget: Budget | undefined): Set<string> => {
    const found = new Set<string>();
    const add = (name: string): void => {
      if (found.has(name) || !byName.has(name)) return;
      found.add(name);
      for (const next of byName.get(name)!.imports) add(next);
    };
    for (const chunk of chunks) if (budget && chunk.facadeModuleId?.endsWith(budget.module)) add(chunk.fileName);
    return found;
  };
  return budgets.flatMap((budget) => {
    const there = closure(budgets.find(({ what }) => what === budget.after));
    const names = [...closure(budget)].filter((name) => !there.has(name));
    if (names.length === 0) return [];
    const bytes = names.reduce((sum, name) => sum + gzipSync(byName.get(name)!.code, { level: 9 }).byteLength, 0);
    return [{ what: budget.what, bytes, limitBytes: budget.limitKiB * 1024 }];
  });
}

/** Fails the build past a budget, naming it; else says how much of each is used. */
export function checkBudgets(): Plugin {
  return {
    name: "check-budgets",
    apply: "build",
    generateBundle(_options, bundle) {
      const lines = measureBudgets(Object.values(bundle).filter((item) => item.type === "chunk"));
      const said = (list: readonly BudgetLine[]): string => list.map(({ what, bytes, limitBytes }) => `${what} ${(bytes / 1024).toFixed(1)} of ${limitBytes / 1024} KiB gz`).join("; ");
      this.info(said(lines));
      const over = lines.filter(({ bytes, limitBytes }) => bytes > limitBytes);
      if (over.length > 0) this.error(`Over budget: ${said(over)}. Load less before it is needed.`);
    },
  };
}
