// For every error code: what it means to the user, in a few words, and what to do next. Exhaustive by type.
import { type AppError, type ErrorCode } from "../base/errors.ts";

export interface Advice {
  readonly title: string;
  readonly next: string;
}

export const ADVICE: Readonly<Record<ErrorCode, Advice>> = {
  "gpu/unavailable": {
    title: "This browser offers no WebGPU",
    next: "Use Chrome or Edge 124 or newer on a computer with a GPU, and see that hardware acceleration is on in the browser's settings. Files, tests and the terminal work without it.",
  },
  "gpu/lost": { title: "The GPU was reset", next: "Send your message again; the model is loaded afresh. If it happens often, close other tabs that use the GPU." },
  "gpu/memory": { title: "Not enough GPU memory", next: "Choose a smaller model or a smaller expert budget, and close other tabs that use the GPU." },
  "model/format": { title: "The model file cannot be read", next: "Choose a complete GGUF file. If it was downloaded, download it again: it may be cut short." },
  "model/unsupported": { title: "This model is not supported yet", next: "Choose a Qwen3-Next model in GGUF form with a supported quantisation (Q4_K_M, Q8_0, F16 …)." },
  "model/context": { title: "The conversation is too long for the model", next: "Start a new chat; the project and its history stay." },
  "model/token": { title: "The model produced or was given an unknown token", next: "Choose another model file; this one does not match its own vocabulary." },
  "storage/quota": { title: "The browser's storage is full", next: "Free some disk space or delete a stored model, then try again. Your files and chat are kept." },
  "storage/corrupt": { title: "Stored model data is damaged", next: "Delete the stored model and import it again. Your files and chat are not affected." },
  "storage/missing": { title: "Stored model data is missing", next: "Import the model again. Your files and chat are not affected." },
  "storage/unavailable": { title: "The browser lets this page store nothing", next: "Leave private browsing or allow site data. Until then work is lost when the tab closes: use Export." },
  "download/failed": { title: "The download did not finish", next: "Check the connection and try again; what has arrived is kept." },
  "download/integrity": { title: "The downloaded data is not what was published", next: "Try again. If it repeats, the source or a proxy changes the file." },
  "container/unavailable": { title: "The container did not start", next: "Reload the page. If it repeats, an extension or a policy may block frames of this site. You can still chat and read files." },
  "container/stopped": { title: "The container has stopped", next: "Reload the page; the project is restored from the browser's storage." },
  "project/path": { title: "This path cannot be used", next: "Use a path inside the project, without “..”." },
  "project/not-found": { title: "File not found", next: "Check the path; the file list shows what the project holds." },
  "project/archive": { title: "The archive cannot be opened", next: "Choose a zip of a project folder made by a usual tool." },
  "project/no-test-command": { title: "This project has no test command", next: "Add \"scripts\": { \"test\": \"node --test\" } to package.json, or ask the assistant to." },
  "task/format": { title: "The task folder is incomplete", next: "See the README for the fields a task needs." },
  "agent/limit": { title: "The assistant reached its limit", next: "Say “go on” to let it continue, or ask for a smaller step." },
  "agent/model-output": { title: "The model's answer could not be understood", next: "Send the message again, or choose a larger model." },
  "command/usage": { title: "Wrong use of a command", next: "See --help." },
  aborted: { title: "Stopped", next: "Everything up to here is kept." },
  bug: { title: "Something in Tabwright went wrong", next: "Your files and chat are kept. Reload the page; if it repeats, please report the sentence above." },
};

/** Title, sentence and next step of an error, ready to show. */
export function explain(error: AppError): Advice & { readonly message: string } {
  return { ...ADVICE[error.code], message: error.message };
}
