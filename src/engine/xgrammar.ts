// The one file that imports @mlc-ai/web-xgrammar (1.1 MB, its WebAssembly inside): loaded when a request first has tools.
// The version is the one that this release of @mlc-ai/web-llm was built with.
import { toolCallGrammar, type GuidedTool } from "../tokenizer/tool-call-grammar.ts";
import type { ModelTokenizer } from "../tokenizer/tokenizer.ts";
import { AppError } from "../base/errors.ts";
import type { CallMatcher } from "./tool-call-guide.ts";

type Xgrammar = typeof import("@mlc-ai/web-xgrammar");
type Compiler = Awaited<ReturnType<Xgrammar["GrammarCompiler"]["createGrammarCompiler"]>>;
type Matcher = Awaited<ReturnType<Xgrammar["GrammarMatcher"]["createGrammarMatcher"]>>;

/** The package calls itself a module and is a script: where a bundler believes it, what it makes is a global. */
async function xgrammar(): Promise<Xgrammar> {
  const module = (await import("@mlc-ai/web-xgrammar")) as Partial<Xgrammar> & { readonly default?: Xgrammar };
  const found = module.GrammarCompiler ? module : (module.default ?? (globalThis as { readonly xgrammar?: Xgrammar }).xgrammar);
  if (found?.GrammarCompiler) return found as Xgrammar;
  throw new AppError("download/failed", "The part of the page that holds tool calls to their form could not be started.");
}

/** Grammars over the vocabulary of one model. The last one is kept: a conversation's tools stay the same. */
export class ToolGrammars {
  readonly #tokenizer: ModelTokenizer;
  #compiler: Promise<readonly [Xgrammar, Compiler]> | undefined;
  #last: { readonly grammar: string; readonly matcher: Promise<Matcher> } | undefined;

  constructor(tokenizer: ModelTokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** At the beginning of a call; undefined where the tools have no grammar. One at a time: each begins the last one anew. */
  async matcher(tools: readonly GuidedTool[]): Promise<CallMatcher | undefined> {
    const grammar = toolCallGrammar(tools);
    if (grammar === undefined) return undefined;
    if (this.#last?.grammar !== grammar) {
      const before = this.#last;
      this.#last = { grammar, matcher: this.#make(grammar) };
      this.#last.matcher.catch(() => (this.#last = undefined));
      void before?.matcher.then((matcher) => matcher.dispose(), () => undefined);
    }
    const matcher = await this.#last.matcher;
    matcher.reset();
    return {
      acceptToken: (id) => matcher.acceptToken(id),
      acceptText: (text) => matcher._acceptString(text),
      allowed: () => matcher.getNextTokenBitmask(),
      reset: () => matcher.reset(),
    };
  }

  async #make(grammar: string): Promise<Matcher> {
    this.#compiler ??= this.#open();
    this.#compiler.catch(() => (this.#compiler = undefined));
    const [{ GrammarMatcher }, compiler] = await this.#compiler;
    const compiled = await compiler.compileGrammar(grammar);
    try {
      return await GrammarMatcher.createGrammarMatcher(compiled);
    } finally {
      compiled.dispose(); // the matcher holds what it needs of it
    }
  }

  async #open(): Promise<readonly [Xgrammar, Compiler]> {
    const loaded = await xgrammar();
    const { vocabulary, endTokens } = this.#tokenizer;
    const info = await loaded.TokenizerInfo.createTokenizerInfo([...vocabulary], "byte_level", false, vocabulary.length, [...endTokens]);
    try {
      return [loaded, await loaded.GrammarCompiler.createGrammarCompiler(info, false)];
    } finally {
      info.dispose();
    }
  }
}
