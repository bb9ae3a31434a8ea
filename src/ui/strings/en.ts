// The English of the first load: what is on the screen before anything is clicked.
import { advice } from "./en/advice.ts";
import { app } from "./en/app.ts";
import { chat } from "./en/chat.ts";

export const en = { app, advice, chat };
