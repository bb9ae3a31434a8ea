// npm run infer: the real engine in a real headless browser, token ids or text in, ids, text and logits out.
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Page } from "playwright-core";
import { AppError } from "../base/errors.ts";
import { fromWireError } from "../base/wire-error.ts";
import type { Lab } from "../ui/lab/lab.ts";
import type { InferRequest, InferResult } from "../ui/lab/lab-engine.ts";
import { STORE_CHOICES } from "../storage/store-choice.ts";
import { numberOption, required, runCommand, type Values } from "./args.ts";

const HELP = `
Usage: npm run infer -- --model F.gguf (--tokens 1,2,3 | --prompt TEXT | --chat TEXT) [options]

Runs a GGUF model on WebGPU in a headless browser: imports it into the browser's storage,
streams its experts from there, and prints one JSON object:
  { model, promptTokens, tokens, text, reason, stats, loadMs }

  --model F          the model file (a GGUF; architectures: docs/engine.md)
  --tokens 1,2,3     the prompt as token ids
  --prompt TEXT      the prompt as text; names of special tokens mean the tokens
  --chat TEXT        one user message, rendered by the model's own chat template
  --generate N       tokens to generate (default: 0 with --logits, else 32)
  --logits OUT.f32   write the logits after each prompt token: float32, [positions, vocab]
  --store S          where the experts are kept: indexeddb, opfs, file (the file itself, in place), memory,
                     or auto (the faster of indexeddb and opfs; the default)
  --gpu-mb M         GPU memory in all, in MB (default: what is guessed of the device)
  --expert-mb M      of it for experts, in MB (default: what is left)
  --context N        longest context, in tokens (default: the model's own)
  --temperature T    0 is greedy (default: 0)
  --top-k K --top-p P --min-p P --seed N --stop TEXT
  --help             this text

Exit code: 0; 1 if the model cannot be run; 2 for wrong arguments.
`;

const PROGRESS = "tabwrightProgress";
/** Floats that cross from the page at once. */
const FLOATS_AT_ONCE = 1 << 21;

type LabWindow = typeof globalThis & { tabwrightLab?: Lab; [PROGRESS](phase: string): void };

const text = { type: "string" } as const;

await runCommand({
  help: HELP,
  options: {
    model: text, tokens: text, prompt: text, chat: text, generate: text, logits: text, store: text, context: text, temperature: text, seed: text, stop: text,
    "gpu-mb": text, "expert-mb": text, "top-k": text, "top-p": text, "min-p": text,
  },
  async run(values, positionals) {
    if (positionals.length > 0) throw new AppError("command/usage", `"${positionals[0]}" belongs to no option. Try --help.`);
    const file = await modelPath(values);
    const out = await outputPath(values);
    const request = requestOf(values, out !== undefined);
    // The browser's driver takes longest to load: a wrong argument does not wait for it.
    const { openLabPage } = await import("./lab-page.ts");
    const lab = await openLabPage();
    try {
      const result = await infer(lab.page, file, request);
      if (out !== undefined) await writeLogits(lab.page, result, out);
      process.stdout.write(`${JSON.stringify(printed(result, out))}\n`);
      return 0;
    } finally {
      await lab.close();
    }
  },
});

async function modelPath(values: Values): Promise<string> {
  const path = required(values, "model");
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) throw new AppError("command/usage", `--model ${path} is no file. Give the path of a .gguf file.`);
  return path;
}

async function outputPath(values: Values): Promise<string | undefined> {
  const path = values["logits"];
  if (typeof path !== "string") return undefined;
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (path === "" || !folder?.isDirectory()) throw new AppError("command/usage", `--logits ${path}: its folder does not exist. Make it first.`);
  return path;
}

function requestOf(values: Values, logits: boolean): InferRequest {
  const inputs = ["tokens", "prompt", "chat"].filter((name) => values[name] !== undefined);
  if (inputs.length !== 1) throw new AppError("command/usage", "Give exactly one of --tokens, --prompt and --chat. Try --help.");
  const { tokens, prompt, chat, store = "auto", stop } = values;
  const choice = STORE_CHOICES.find((name) => name === store);
  if (!choice) throw new AppError("command/usage", `--store ${String(store)} is not there; choose from ${STORE_CHOICES.join(", ")}.`);
  const whole = (name: string, min: number): number | undefined => {
    const value = numberOption(values, name, min);
    if (value === undefined || Number.isInteger(value)) return value;
    throw new AppError("command/usage", `--${name} must be a whole number, not ${value}.`);
  };
  const share = (name: string): number | undefined => {
    const value = numberOption(values, name, 0);
    if (value === undefined || value <= 1) return value;
    throw new AppError("command/usage", `--${name} must be between 0 and 1, not ${value}.`);
  };
  const [topK, topP, minP, seed] = [whole("top-k", 0), share("top-p"), share("min-p"), whole("seed", 0)];
  const [gpuMb, expertMb, contextTokens] = [numberOption(values, "gpu-mb", 0), numberOption(values, "expert-mb", 0), whole("context", 1)];
  return {
    ...(typeof tokens === "string" ? { tokens: tokenList(tokens) } : {}),
    ...(typeof prompt === "string" ? { prompt } : {}),
    ...(typeof chat === "string" ? { chat } : {}),
    generate: whole("generate", 0) ?? (logits ? 0 : 32),
    sampling: {
      temperature: numberOption(values, "temperature", 0) ?? 0,
      ...(topK === undefined ? {} : { topK }),
      ...(topP === undefined ? {} : { topP }),
      ...(minP === undefined ? {} : { minP }),
      ...(seed === undefined ? {} : { seed }),
    },
    stop: typeof stop === "string" ? [stop] : [],
    options: { store: choice, ...(gpuMb === undefined ? {} : { gpuMb }), ...(expertMb === undefined ? {} : { expertMb }), ...(contextTokens === undefined ? {} : { contextTokens }) },
    logits,
  };
}

function tokenList(list: string): readonly number[] {
  const tokens = list.split(",").map((item) => item.trim());
  const bad = tokens.find((item) => !/^\d+$/.test(item));
  if (bad !== undefined) throw new AppError("command/usage", `--tokens must be token ids separated by commas; "${bad}" is none.`);
  return tokens.map(Number);
}

async function infer(page: Page, file: string, request: InferRequest): Promise<InferResult> {
  let phase = "";
  await page.exposeFunction(PROGRESS, (next: string) => {
    if (next !== phase) process.stderr.write(`${next}\n`);
    phase = next;
  });
  await page.locator("#tabwright-lab-file").setInputFiles(file);
  const result = await page.evaluate((asked) => {
    const { tabwrightLab, tabwrightProgress } = globalThis as LabWindow;
    return tabwrightLab!.engine.infer(asked, ({ phase: now }) => tabwrightProgress(now));
  }, request);
  if ("error" in result) throw fromWireError(result.error);
  return result;
}

async function writeLogits(page: Page, result: InferResult, path: string): Promise<void> {
  const file = createWriteStream(path);
  const rows = Math.max(1, Math.floor(FLOATS_AT_ONCE / result.vocab));
  for (let from = 0; from < result.promptTokens.length; from += rows) {
    const to = Math.min(result.promptTokens.length, from + rows);
    const part = await page.evaluate(([first, last]) => (globalThis as LabWindow).tabwrightLab!.engine.logitRows(first, last), [from, to] as const);
    if (!file.write(Buffer.from(part, "base64"))) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}

function printed(result: InferResult, logitsPath: string | undefined): unknown {
  const { model, promptTokens, tokens, text: words, reason, stats, loadMs, logitsMs, vocab } = result;
  const rate = (count: number, ms: number): number => (ms > 0 ? Math.round((count * 10_000) / ms) / 10 : 0);
  return {
    model,
    promptTokens,
    tokens,
    text: words,
    reason,
    ...(stats ? { stats: { ...stats, prefillTokensPerSecond: rate(stats.promptTokens - stats.reusedTokens, stats.prefillMs), decodeTokensPerSecond: rate(stats.completionTokens - 1, stats.decodeMs) } } : {}),
    loadMs: Math.round(loadMs),
    ...(logitsPath === undefined ? {} : { logits: { file: logitsPath, shape: [promptTokens.length, vocab], ms: Math.round(logitsMs) } }),
  };
}
