// One way to read arguments, print help and fail: every command of the README goes through `runCommand`.
import { type ParseArgsConfig, parseArgs } from "node:util";
import { AppError, toAppError } from "../base/errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface Command {
  /** Printed by `--help`, whole. */
  readonly help: string;
  readonly options: Options;
  /** Returns the exit code. */
  run(values: Values, positionals: readonly string[]): Promise<number>;
}

/** Parses, runs, and exits: 2 for a usage error, 1 for any other failure, both with one sentence on stderr. */
export async function runCommand(command: Command): Promise<void> {
  try {
    const argv = process.argv.slice(2);
    if (argv.includes("--help") && !argv.slice(0, argv.indexOf("--help")).includes("--")) {
      process.stdout.write(`${command.help.trim()}\n`);
      process.exit(0);
    }
    const { values, positionals } = parse(argv, command.options);
    process.exitCode = await command.run(values, positionals);
  } catch (thrown) {
    const error = toAppError(thrown);
    process.stderr.write(`${error.message}\n`);
    if (error.code === "bug" && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
    process.exitCode = error.code === "command/usage" ? 2 : 1;
  }
  // A stray handle (a browser that hangs on close) must not keep a finished command alive.
  await drained();
  process.exit();
}

function parse(argv: readonly string[], options: Options): { values: Values; positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...argv], options: { ...options, help: { type: "boolean" } }, allowPositionals: true, strict: true });
  } catch (cause) {
    throw new AppError("command/usage", `${(cause as Error).message} Try --help.`, { cause });
  }
}

function drained(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write("", () => process.stderr.write("", () => resolve()));
  });
}

/** A required string option. Throws `command/usage` naming it. */
export function required(values: Values, name: string): string {
  const value = values[name];
  if (typeof value === "string" && value !== "") return value;
  throw new AppError("command/usage", `--${name} is required. Try --help.`);
}

/** An optional number option, at least `min`. Throws `command/usage` naming it and what was given. */
export function numberOption(values: Values, name: string, min: number): number | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const number = Number(value);
  if (typeof value === "string" && value.trim() !== "" && Number.isFinite(number) && number >= min) return number;
  throw new AppError("command/usage", `--${name} must be a number of at least ${min}, not "${String(value)}".`);
}

/** As `numberOption`, of a count: a whole number from 1. */
export function wholeOption(values: Values, name: string): number | undefined {
  const number = numberOption(values, name, 1);
  if (number === undefined || Number.isInteger(number)) return number;
  throw new AppError("command/usage", `--${name} must be a whole number, not "${String(values[name])}".`);
}
