// Entry of the page: theme and language first, then the stored session, then everything that takes longer.
import { toAppError } from "../base/errors.ts";
import { App } from "./app.ts";
import { lostSinceLastVisit, surviveEviction } from "./offline/eviction.ts";
import { headlessReachable } from "./offline/headless-reachable.ts";
import { offlineCopy } from "./offline/offline-copy.ts";
import { firstIntent } from "./intent.ts";
import { answerRegistryAsks } from "./registry/consent.ts";
import { WorkerEngine } from "./session/engine-link.ts";
import { reportMissingParts } from "./session/missing-parts.ts";
import { Session } from "./session/session.ts";
import { SessionStore, type Settings } from "./session/session-store.ts";
import { startSandbox } from "./session/start-sandbox.ts";
import { preferredLanguage, setLanguage } from "./strings/index.ts";
import { applyTheme } from "./theme.ts";

const intent = firstIntent();
applyTheme("auto");
const query = new URLSearchParams(location.search);
let store: SessionStore | undefined;
let problem: unknown;
let settings: Settings = { theme: "auto" };
try {
  store = await SessionStore.open();
  settings = await store.settings();
} catch (error) {
  problem = error;
}
applyTheme(settings.theme);
const language = settings.language ?? preferredLanguage(navigator.languages);
if (language !== "en") await setLanguage(language);
const reachable = async (): Promise<void> => headlessReachable(offline);
const session = await Session.open({ engine: new WorkerEngine(), startSandbox: (owner) => startSandbox(owner, reachable), store }, { ...settings, language });
const offline = offlineCopy({ busy: () => session.state.activity !== "idle" || session.state.engine.phase === "loading" }, intent);
const app = new App();
app.session = session;
document.body.append(app);
reportMissingParts((error) => session.report(error));
if (problem) session.report(toAppError(problem));
const lost = store && lostSinceLastVisit(settings.workspace !== undefined);
if (lost) session.report(lost);
surviveEviction(() => session.save(), (error) => session.report(error));

// In the lab nothing starts by itself: the command decides whether it needs the engine, the container or the session.
if (query.has("lab")) (await import("./lab/lab.ts")).openLab(session);
else {
  answerRegistryAsks(() => session.state.project.id);
  void session.lookAtDevice();
  void intent.then(() => session.start());
  if (location.hash.startsWith("#project=")) await (await import("./project/handoff.ts")).takeHandoff(session);
}
