// Entry of the widget's frame: says hello to the host's page, takes its samples for a project, starts the container, and
// the engine when the reader wants it.
import { toAppError } from "../../base/errors.ts";
import type { Look } from "../../embed/protocol.ts";
import { answerAsks } from "../../headless/registry/consent.ts";
import { explain } from "../advice.ts";
import { reportMissingParts } from "../session/missing-parts.ts";
import { startSandbox } from "../session/start-sandbox.ts";
import { SessionStore } from "../session/session-store.ts";
import { currentLanguage, preferredLanguage, setLanguage } from "../strings/index.ts";
import { applyTheme } from "../theme.ts";
import { applyAccent } from "./accent.ts";
import { HostLink } from "./host-link.ts";
import { openWidgetSession } from "./widget-session.ts";
import { Widget } from "./widget.ts";
import { WidgetEngine } from "./widget-engine.ts";
import { w } from "./words.ts";

async function applyLook({ theme, accent, language }: Look): Promise<void> {
  applyTheme(theme);
  applyAccent(accent, theme);
  if (language !== currentLanguage()) await setLanguage(language);
}

applyTheme("auto");
if (parent === window) {
  await setLanguage(preferredLanguage(navigator.languages));
  document.body.append(Object.assign(document.createElement("p"), { textContent: w().alone }));
}
const link = await HostLink.connect();
const setup = await link.setup;
await applyLook(setup);
const engine = new WidgetEngine((message) => link.send(message));
// A reader is not asked: whoever owns the page around has allowed one registry, or none.
answerAsks(({ origin }) => Promise.resolve(URL.canParse(setup.registry) && new URL(setup.registry).origin === origin ? { allowed: true } : { allowed: false, why: `The page around this widget does not allow packages from ${origin} (its attribute registry).` }));
const store = await SessionStore.open().catch(() => undefined); // said in the widget's banner
try {
  const session = await openWidgetSession(setup, link.hostOrigin, { engine, startSandbox, store });
  const widget = Object.assign(new Widget(), { session, setup, link, engine });
  engine.onProblem = (error) => session.report(error);
  reportMissingParts(engine.onProblem);
  engine.onReady = () => void session.chat.measure().then(() => session.chat.sendQueued());
  engine.onGiveUp = () => widget.settle();
  document.body.append(widget);
  link.onMessage = (message) => {
    if (message.type === "look") void applyLook(message.look);
    else if (message.type === "shown") widget.focus();
    else if (message.type === "engine") void engine.hear(message.state);
  };
  await widget.updateComplete;
  link.send({ type: "ready" });
  void session.start();
} catch (thrown) {
  const error = toAppError(thrown);
  const { code, message } = error;
  const { title, next } = explain(error);
  document.body.append(Object.assign(document.createElement("p"), { textContent: `${title}. ${message} ${next}`, role: "alert" }));
  link.send({ type: "ready" });
  link.send({ type: "error", code, message });
}
