// Entry of the page: theme first, then the saved session, then everything that takes longer.
import { toAppError } from "../base/errors.ts";
import { bootContainer } from "../container/client.ts";
import { containerSandbox } from "../container/container-sandbox.ts";
import type { Sandbox } from "../container/sandbox.ts";
import type { FileTree } from "../project/tree.ts";
import { App } from "./app.ts";
import { WorkerEngine } from "./engine-link.ts";
import { Session } from "./session.ts";
import { SessionStore } from "./session-store.ts";
import { applyTheme } from "./theme.ts";

/** The local container with the project's files in it. */
async function startSandbox(files: FileTree): Promise<Sandbox> {
  const sandbox = containerSandbox(await bootContainer());
  await sandbox.restore(files);
  return sandbox;
}

applyTheme("auto");
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
const app = new App();
app.session = session;
document.body.append(app);
if (problem) session.report(toAppError(problem));

// In the lab nothing starts by itself: the command decides whether it needs the engine, the container or the session.
if (new URLSearchParams(location.search).has("lab")) (await import("./lab.ts")).openLab(session);
else void session.start();
