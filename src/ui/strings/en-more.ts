// The English of the parts that come later; it comes with them.
import { chatParts } from "./en/chat-parts.ts";
import { device } from "./en/device.ts";
import { download } from "./en/download.ts";
import { embed } from "./en/embed.ts";
import { offline } from "./en/offline.ts";
import { practice } from "./en/practice.ts";
import { project } from "./en/project.ts";
import { registry } from "./en/registry.ts";
import { work } from "./en/work.ts";

export const more = { chatParts, work, practice, project, device, download, offline, embed, registry };
