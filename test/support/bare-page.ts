// A page in a browser that nothing but two commands of the DevTools protocol touches. Playwright follows every frame and
// takes the end of one in a process of its own for the end of the page.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { findBrowser } from "../../src/cli/browser.ts";

export interface BarePage {
  /** The expression's value, or that of its promise, as data. Rejects with what it throws. */
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly error?: { readonly message: string };
  readonly result?: { readonly targetId?: string; readonly sessionId?: string; readonly result?: { readonly value?: unknown }; readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } } };
}

export async function openBarePage(url: string, flags: readonly string[]): Promise<BarePage> {
  const profile = await mkdtemp(join(tmpdir(), "bare-page-"));
  const browser = spawn(await findBrowser(), ["--headless", "--no-sandbox", "--no-first-run", "--remote-debugging-pipe", `--user-data-dir=${profile}`, ...flags], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [, , , commands, answers] = browser.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, (answer: Answer) => void>();
  let text = "";
  answers.setEncoding("utf8").on("data", (piece: string) => {
    const messages = (text + piece).split("\0");
    text = messages.pop() ?? "";
    for (const message of messages) {
      const answer = JSON.parse(message) as Answer;
      if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
    }
  });
  let ids = 0;
  const send = async (method: string, params: object, sessionId?: string): Promise<NonNullable<Answer["result"]>> => {
    const id = ++ids;
    const answer = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve);
      commands.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    });
    if (!answer.result) throw new Error(`${method}: ${answer.error?.message}`);
    return answer.result;
  };
  const { targetId } = await send("Target.createTarget", { url });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  return {
    async evaluate(expression) {
      const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, sessionId);
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result?.value;
    },
    async close() {
      const ended = once(browser, "exit");
      browser.kill("SIGKILL");
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 }); // its children take a moment longer
    },
  };
}
