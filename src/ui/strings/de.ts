// The German table.
import { advice } from "./de/advice.ts";
import { app } from "./de/app.ts";
import { chat } from "./de/chat.ts";
import { chatParts } from "./de/chat-parts.ts";
import { device } from "./de/device.ts";
import { download } from "./de/download.ts";
import { embed } from "./de/embed.ts";
import { offline } from "./de/offline.ts";
import { practice } from "./de/practice.ts";
import { project } from "./de/project.ts";
import { registry } from "./de/registry.ts";
import { work } from "./de/work.ts";
import type { Strings } from "./index.ts";

export const de: Strings = { app, advice, chat, chatParts, work, practice, project, device, download, offline, embed, registry };
