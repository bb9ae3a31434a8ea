// Entry of the page: theme first, then the saved session, then everything that takes longer.
import { bootContainer } from "../container/client.ts";
import { containerSandbox } from "../container/container-sandbox.ts";
import { toAppError } from "../base/errors.ts";
import type { Sandbox } from "../container/sandbox.ts";
import type { FileTree } from "../project/tree.ts";
import type { App } from "./app.ts";
import { WorkerEngine } from "./engine-link.ts";
import { Session } from "./session.ts";
import { SessionStore } from "./session-store.ts";
import { applyTheme } from "./theme.ts";
import "./app.ts";

const lab = new URLSearchParams(location.search).get("lab");
if (lab !== null) void import("./lab.ts");
// `?lab=bare`: the rooms without the page, for commands that boot the container or the engine themselves.
if (lab !== "bare") await start();

async function start(): Promise<void> {
  applyTheme("auto");

  /** The local container with the project's files in it. */
async function startSandbox(files: FileTree): Promise<Sandbox> {
  const sandbox = containerSandbox(await bootContainer());
  await sandbox.restore(files);
  return sandbox;
}

let store: SessionStore | undefined;
  let problem: unknown;
  try {
    store = await SessionStore.open();
  } catch (error) {
    problem = error;
  }
  const theme = (await store?.theme()) ?? "auto";
  applyTheme(theme);
  const session = new Session({ engine: new WorkerEngine(), startSandbox, store }, await store?.load(), theme);
  const app: App = document.createElement("tw-app") as App;
  app.session = session;
  document.body.append(app);
  if (problem) session.report(toAppError(problem));
  void session.start();
}
