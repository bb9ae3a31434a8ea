// What a conversation is shown with; loaded with its first message.
import "./answer-actions.ts";
import "./markdown-text.ts";
import "./tool-card.ts";
import "./user-message.ts";
