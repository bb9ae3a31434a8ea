// English: the conversation as it is first seen: welcome, composer, modes, budget.

const number = new Intl.NumberFormat("en");

export const chat = {
  log: {
    label: "Conversation",
    welcome: "What shall we fix?",
    promise: "The model runs on your GPU and the code runs in this page. Nothing leaves your machine.",
    thinking: "Thinking …",
  },
  composer: {
    message: "Message",
    send: "Send",
    stop: "Stop",
    queue: "Queue",
    attach: "Attach",
    attachHint: "Attach text files; you can also drag them here, or write @ and a file's name",
    files: "Files of the project",
    selection: "Selection in the editor",
    pasted: "Pasted text",
    refused: {
      large: (name: string, bytes: number) => `${name} is larger than ${number.format(bytes / 1e6)} MB. Attach a part of it.`,
      binary: (name: string) => `${name} is not a text file, so the model cannot read it.`,
    },
  },
  attachment: {
    list: "Attached",
    size: (characters: number) => (characters < 1000 ? `${characters} characters` : `${number.format(Math.round(characters / 1000))} K characters`),
    remove: (title: string) => `Remove ${title}`,
    textOf: (title: string) => `Text of ${title}`,
    more: (characters: number) => `\n… and ${number.format(characters)} more characters`,
  },
  mode: {
    label: "What the assistant may do by itself",
    names: { plan: "Plan", ask: "Ask", auto: "Auto" },
    explain: {
      plan: "Reads and answers with a plan; changes and runs nothing",
      ask: "Asks before every change and every command",
      auto: "Changes files and runs commands by itself; all of it can be undone",
    },
    said: (name: string, explanation: string) => `${name}: ${explanation}.`,
  },
  budget: {
    label: "Context used",
    figures: (used: number, limit: number) => `${number.format(used)} of ${number.format(limit)} tokens`,
    high: "The conversation fills more than three quarters of the model's context. Compact makes room.",
    compact: "Compact",
    explain: "Condenses older messages, so that there is room for more",
    refused: (draft: number, free: number) => `This message has about ${number.format(draft)} tokens, and ${number.format(free)} are free. Compact the conversation, shorten the message, or start a new chat.`,
    anyway: "Send anyway",
  },
};
