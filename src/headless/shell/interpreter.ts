// Runs the trees of scripts: lists, pipes whose parts run at the same time, control flow, subshells, jobs. What a simple
// command is, simple-command.ts finds out. (Over 300 lines: every kind of command of the language, each a few lines.)
import { calculate, expandPattern, expandText, expandWords } from "./expand.ts";
import { holds } from "./conditions.ts";
import { patternRegExp } from "./pattern.ts";
import { open, redirect, redirectForGood } from "./redirect.ts";
import { runSimple } from "./simple-command.ts";
import { Break, Exit, ExpansionError, Killed, Return, type ShellState } from "./state.ts";
import { BrokenPipe, BadDescriptor, NullStream, OpenFile, pipe, readAll } from "./streams.ts";
import { stoppable } from "./stopping.ts";
import { type CommandNode, type Compound, parseScript, type PipelineNode, type Redirection, type ScriptNode, ShellSyntaxError, type StatementNode } from "./syntax.ts";
import { orKilled, Task } from "./task.ts";
import { Jobs } from "./jobs.ts";
import { ReadonlyError } from "./variables.ts";

const SIGPIPE_CODE = 141;
/** Loops give the event loop a turn this often: signals and input come as messages. */
const TURN_MS = 16;
let turnAt = 0;

/**
 * Text as a script in this state. A syntax error is told (`where` the text is from: `-c: `), after the lines before it have
 * run, and is status 2.
 */
export async function runText(state: ShellState, text: string, where = ""): Promise<number> {
  try {
    return await runLines(state, parseScript(text).statements);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    const lines = text.split("\n");
    for (let count = Math.min(error.line, lines.length) - 1; count > 0; count--) {
      const before = parsedOrNothing(lines.slice(0, count).join("\n"));
      if (!before) continue;
      await runLines(state, before.statements);
      break;
    }
    const shown = error.message.includes("near unexpected token") ? `${state.name}: ${where}line ${error.line}: \`${lines[error.line - 1] ?? ""}'\n` : "";
    await state.write(2, `${state.name}: ${state.host.interactive ? "" : `${where}line ${error.line}: `}${error.message}\n${state.host.interactive ? "" : shown}`);
    state.status = 2;
    return 2;
  }
}

function parsedOrNothing(text: string): ScriptNode | undefined {
  try {
    return parseScript(text);
  } catch (error) {
    if (error instanceof ShellSyntaxError) return undefined;
    throw error;
  }
}

export async function runStatements(state: ShellState, statements: readonly StatementNode[]): Promise<number> {
  for (const statement of statements) await runStatement(state, statement);
  return state.status;
}

/** As the above, where a failed expansion ends the line it is on and no more. */
async function runLines(state: ShellState, statements: readonly StatementNode[]): Promise<number> {
  let skipped = 0;
  for (const statement of statements) {
    const line = lineOf(statement);
    if (line === skipped) continue;
    try {
      await runStatement(state, statement);
    } catch (error) {
      if (!isLineError(error) || state.depth > 0) throw error;
      await state.complain(error.message);
      state.status = 1;
      state.tested = 0;
      skipped = line;
    }
  }
  return state.status;
}

function isLineError(error: unknown): error is Error {
  return error instanceof ReadonlyError || (error instanceof ExpansionError && error.ends === "line");
}

function lineOf(statement: StatementNode): number {
  const command = statement.pipelines[0]?.commands[0];
  return (command && "line" in command ? command.line : undefined) ?? 1;
}

/** Signals that came, and a turn for the event loop when it is time. */
async function between(state: ShellState): Promise<void> {
  state.signal.throwIfAborted();
  for (let { held } = state; held; { held } = state) await orKilled(held, state.signal);
  if (performance.now() - turnAt > TURN_MS) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    turnAt = performance.now();
    state.signal.throwIfAborted();
  }
  for (let signal = state.task.pending.shift(); signal; signal = state.task.pending.shift()) {
    const action = state.traps.get(signal.slice(3));
    if (action) await runTrap(state, action);
  }
}

export async function runTrap(state: ShellState, action: string): Promise<void> {
  const { status } = state;
  await runText(state, action);
  state.status = status;
}

async function runStatement(state: ShellState, statement: StatementNode): Promise<void> {
  await between(state);
  if (statement.deferredError) {
    await state.complain(`syntax error near unexpected token \`${statement.deferredError.token}'`);
    throw new Exit(2);
  }
  if (statement.background) return startJob(state, statement);
  const { pipelines, operators } = statement;
  for (const [i, pipeline] of pipelines.entries()) {
    const operator = operators[i - 1];
    if ((operator === "&&" && state.status !== 0) || (operator === "||" && state.status === 0)) continue;
    const last = i === pipelines.length - 1;
    if (!last) state.tested++;
    try {
      await runPipeline(state, pipeline);
    } finally {
      if (!last) state.tested--;
    }
    if (last && !pipeline.negated) await failed(state, pipeline.commands.length > 1 ? undefined : pipeline.commands[0]);
  }
}

/** ERR and `set -e`, after a command whose failure is nobody's answer. */
async function failed(state: ShellState, command: CommandNode | undefined): Promise<void> {
  if (state.status === 0 || state.tested > 0) return;
  // What is inside has had its say.
  if (command && command.type !== "SimpleCommand" && command.type !== "Subshell" && command.type !== "ArithmeticCommand" && command.type !== "ConditionalCommand") return;
  const action = state.traps.get("ERR");
  if (action !== undefined && action !== "" && (state.calls.length === 0 || state.options.has("errtrace"))) await runTrap(state, action);
  if (state.options.has("errexit")) throw new Exit(state.status);
}

async function runPipeline(state: ShellState, pipeline: PipelineNode): Promise<void> {
  const started = performance.now();
  if (pipeline.negated) state.tested++;
  try {
    const [only] = pipeline.commands;
    if (only && pipeline.commands.length === 1) {
      state.status = await runCommand(state, only);
      state.pipeStatus = [String(state.status)];
    } else state.status = await runPipes(state, pipeline);
  } finally {
    if (pipeline.negated) state.tested--;
  }
  if (pipeline.negated) state.status = state.status === 0 ? 1 : 0;
  if (pipeline.timed === true) {
    const seconds = (performance.now() - started) / 1000;
    const shown = (s: number): string => (pipeline.timePosix === true ? s.toFixed(2) : `${Math.floor(s / 60)}m${(s % 60).toFixed(3)}s`);
    await state.write(2, pipeline.timePosix === true ? `real ${shown(seconds)}\nuser ${shown(0)}\nsys ${shown(0)}\n` : `\nreal\t${shown(seconds)}\nuser\t${shown(0)}\nsys\t${shown(0)}\n`);
  }
}

async function runPipes(state: ShellState, { commands, pipeStderr = [] }: PipelineNode): Promise<number> {
  const running: Promise<number>[] = [];
  let input: OpenFile | undefined;
  const all = new Task(state.task);
  for (const [i, command] of commands.entries()) {
    const part = state.fork(new Task(all), state.jobs);
    if (input) part.setFd(0, input);
    part.given = command.type === "SimpleCommand" ? input?.stream : undefined;
    input = undefined;
    if (i < commands.length - 1) {
      const { reader, writer } = pipe();
      part.open(1, writer);
      if (pipeStderr[i] === true) part.setFd(2, part.fds.get(1)?.hold());
      input = new OpenFile(reader);
    }
    running.push(subshell(part, () => runCommand(part, command)));
  }
  let codes: readonly number[] = [];
  const done = Promise.all(running).then((ended) => (codes = ended).at(-1) ?? 0);
  const last = await stoppable(state, all, done);
  all.close();
  state.signal.throwIfAborted();
  state.pipeStatus = codes.length === 0 ? [String(last)] : codes.map(String);
  return state.options.has("pipefail") ? (codes.findLast((code) => code !== 0) ?? 0) : last;
}

/** Runs to its end and closes it. Whatever leaves it, leaves no further than here. */
export async function subshell(state: ShellState, body: () => Promise<number>): Promise<number> {
  let code: number;
  try {
    code = await leaving(state, body);
  } finally {
    state.closeAll();
    state.task.close();
    state.host.tasks.delete(state.pid);
    state.host.taskEnded();
  }
  return code;
}

/** The code that a shell ends with, its EXIT trap run. */
export async function leaving(state: ShellState, body: () => Promise<number>): Promise<number> {
  let code = await endOf(state, body);
  const action = state.traps.get("EXIT");
  state.traps.delete("EXIT");
  if (action) {
    // It runs though a signal has ended the rest.
    if (state.signal.aborted) state.task = new Task();
    state.status = code;
    const after = await endOf(state, async () => {
      await runText(state, action);
      return code;
    });
    code = after;
  }
  return code;
}

async function endOf(state: ShellState, body: () => Promise<number>): Promise<number> {
  try {
    const code = await body();
    state.signal.throwIfAborted();
    return code;
  } catch (error) {
    if (error instanceof Exit || error instanceof Return || error instanceof Killed) return error.code;
    if (error instanceof Break) return 0;
    if (error instanceof BrokenPipe) return SIGPIPE_CODE;
    if (error instanceof ExpansionError || error instanceof ReadonlyError || error instanceof ShellSyntaxError) {
      await state.complain(error.message);
      return error instanceof ExpansionError && error.ends === "shell" ? 127 : 1;
    }
    throw error;
  }
}

async function startJob(state: ShellState, statement: StatementNode): Promise<void> {
  const task = new Task(state.jobs.root);
  const part = state.fork(task, new Jobs(task));
  part.setFd(0, new OpenFile(new NullStream()));
  part.isLast = statement.pipelines.length === 1 && statement.pipelines[0]?.commands.length === 1;
  const text = (statement.sourceText ?? "").replace(/\s*&\s*$/, "");
  const done = subshell(part, () => runStatements(part, [{ ...statement, background: false }]));
  const job = state.jobs.add(text, part.pid, task, done);
  state.lastJobPid = job.pid;
  state.status = 0;
  if (state.host.interactive && state.depth === 0) await state.write(2, `[${job.id}] ${job.pid}\n`);
}

/** The status; what cannot be expanded or opened is told, and is 1. */
export async function runCommand(state: ShellState, command: CommandNode): Promise<number> {
  if ("line" in command && command.line !== undefined && command.line > 0) state.line = command.line;
  if (command.type === "SimpleCommand") return runSimple(state, command);
  if (command.type === "FunctionDef") {
    state.functions.set(command.name, command);
    return 0;
  }
  return withRedirections(state, command.redirections, () => runCompound(state, command));
}

export async function withRedirections(state: ShellState, redirections: readonly Redirection[], body: () => Promise<number>): Promise<number> {
  const { isLast } = state;
  state.isLast = false;
  if (redirections.length === 0) return guarded(state, body);
  let undo;
  try {
    undo = isLast ? await redirectForGood(state, redirections) : await redirect(state, redirections);
  } catch (error) {
    if (error instanceof ExpansionError && error.ends === "command") {
      await state.complain(error.message);
      return 1;
    }
    throw error;
  }
  try {
    return await guarded(state, body);
  } finally {
    undo?.();
  }
}

async function guarded(state: ShellState, body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof BadDescriptor) {
      await state.complain(`write error: ${error.message}`);
      return 1;
    }
    if (!(error instanceof ExpansionError) || error.ends !== "command") throw error;
    await state.complain(error.message);
    return 1;
  }
}

async function runCompound(state: ShellState, command: Exclude<Compound, { type: "FunctionDef" }>): Promise<number> {
  switch (command.type) {
    case "Group":
      return body(state, command.body);
    case "Subshell": {
      const part = state.fork(new Task(state.task), new Jobs(state.jobs.root));
      const code = await stoppable(state, part.task, subshell(part, () => runStatements(part, command.body)));
      state.signal.throwIfAborted();
      return code;
    }
    case "If":
      for (const clause of command.clauses) if ((await condition(state, clause.condition)) === 0) return body(state, clause.body);
      return command.elseBody ? body(state, command.elseBody) : 0;
    case "While":
    case "Until":
      return loop(state, async () => ((await condition(state, command.condition)) === 0) === (command.type === "While"), command.body);
    case "For": {
      const values = command.words ? await expandWords(state, command.words) : [...state.positional];
      const next = values.values();
      return loop(state, () => {
        const { value, done } = next.next();
        if (done === true) return false;
        state.vars.set(command.variable, value);
        return true;
      }, command.body);
    }
    case "CStyleFor": {
      const { init, condition: check, update } = command;
      if (init) await calculate(state, init.originalText ?? "");
      let first = true;
      return loop(state, async () => {
        if (!first && update) await calculate(state, update.originalText ?? "");
        first = false;
        return !check || (check.originalText ?? "").trim() === "" || (await calculate(state, check.originalText ?? "")) !== 0n;
      }, command.body);
    }
    case "Case":
      return runCase(state, command);
    case "ArithmeticCommand":
      try {
        return (await calculate(state, command.expression.originalText ?? "")) === 0n ? 1 : 0;
      } catch (error) {
        if (!(error instanceof ExpansionError) || error.ends === "shell") throw error;
        throw new ExpansionError(`((: ${error.message}`);
      }
    case "ConditionalCommand":
      try {
        return (await holds(state, command.expression)) ? 0 : 1;
      } catch (error) {
        if (!(error instanceof ExpansionError) || error.ends === "shell") throw error;
        await state.complain(error.message);
        return /regular expression/.test(error.message) ? 2 : 1;
      }
    default:
      return command satisfies never;
  }
}

/** Statements whose status is 0 when there are none. */
async function body(state: ShellState, statements: readonly StatementNode[]): Promise<number> {
  return statements.length === 0 ? 0 : runStatements(state, statements);
}

async function condition(state: ShellState, statements: readonly StatementNode[]): Promise<number> {
  state.tested++;
  try {
    return await runStatements(state, statements);
  } finally {
    state.tested--;
  }
}

async function loop(state: ShellState, more: () => Promise<boolean> | boolean, statements: readonly StatementNode[]): Promise<number> {
  let status = 0;
  state.loops++;
  try {
    for (;;) {
      try {
        if (!(await more())) return status;
        status = await runStatements(state, statements);
      } catch (error) {
        if (!(error instanceof Break)) throw error;
        status = 0;
        if (error.levels > 1 && state.loops > 1) {
          error.levels--;
          throw error;
        }
        if (!error.continues) return status;
      }
      await between(state);
    }
  } finally {
    state.loops--;
  }
}

async function runCase(state: ShellState, command: Extract<Compound, { type: "Case" }>): Promise<number> {
  const word = await expandText(state, command.word);
  const options = { extended: true, ignoreCase: state.shopts.has("nocasematch") };
  let status = 0;
  let falls = false;
  for (const item of command.items) {
    let matched = falls;
    for (const pattern of matched ? [] : item.patterns) matched ||= patternRegExp(await expandPattern(state, pattern), options).test(word);
    if (!matched) continue;
    status = await body(state, item.body);
    if (item.terminator === ";;") return status;
    falls = item.terminator === ";&";
  }
  return status;
}

/** Calls a function with arguments of its own. */
export async function callFunction(state: ShellState, name: string, args: readonly string[]): Promise<number> {
  const definition = state.functions.get(name);
  if (!definition) throw new ExpansionError(`${name}: command not found`);
  if (state.calls.length >= MAX_CALLS) throw new ExpansionError(`${name}: maximum function nesting level exceeded (${MAX_CALLS})`, "line");
  const { positional, loops } = state;
  state.given = undefined;
  state.positional = [...args];
  state.loops = 0;
  state.calls.push(name);
  state.vars.pushFrame();
  try {
    return await withRedirections(state, definition.redirections, () => runCommand(state, definition.body));
  } catch (error) {
    if (error instanceof Return) return error.code;
    throw error;
  } finally {
    state.vars.popFrame();
    state.calls.pop();
    state.positional = positional;
    state.loops = loops;
  }
}
/** The stack of the engine holds some more. */
const MAX_CALLS = 400;

/** `$(…)`: its output. The status stays in the state. */
export async function capture(state: ShellState, script: ScriptNode): Promise<string> {
  const [statement] = script.statements;
  const command = statement?.pipelines[0]?.commands[0];
  // `$(<file)` reads the file.
  if (script.statements.length === 1 && statement?.pipelines.length === 1 && command?.type === "SimpleCommand" && !command.name && command.redirections.length === 1 && command.assignments.length === 0 && command.redirections[0]?.operator === "<" && command.redirections[0].target.type === "Word") {
    const file = open(state, await expandText(state, command.redirections[0].target), "<");
    const text = new TextDecoder().decode(await readAll(file.stream, state.signal));
    file.release();
    state.status = 0;
    state.captures++;
    return text;
  }
  const { reader, writer } = pipe();
  const part = state.fork(new Task(state.task), new Jobs(state.jobs.root));
  part.traps.delete("EXIT");
  part.open(1, writer);
  part.tested = 0;
  if (!part.shopts.has("inherit_errexit")) part.options.delete("errexit");
  const done = subshell(part, () => runStatements(part, script.statements));
  const bytes = await readAll(reader, state.signal);
  state.status = await done;
  state.captures++;
  state.signal.throwIfAborted();
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes).replaceAll("\0", "");
}

/** `<(…)` and `>(…)`: a descriptor's path, `/dev/fd/63`. */
export async function substitute(state: ShellState, script: ScriptNode, direction: "input" | "output"): Promise<string> {
  const { reader, writer } = pipe();
  const task = new Task(state.task);
  const part = state.fork(task, new Jobs(task));
  part.open(direction === "input" ? 1 : 0, direction === "input" ? writer : reader);
  let fd = 63;
  while (state.fds.has(fd)) fd--;
  state.open(fd, direction === "input" ? reader : writer);
  const done = subshell(part, () => runStatements(part, script.statements));
  state.cleanups.push(async () => {
    state.setFd(fd, undefined);
    await done;
  });
  return `/dev/fd/${fd}`;
}
