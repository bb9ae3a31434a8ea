// What a message carries besides its words: files, a selection, text of the host page. It reaches the model as data with
// a number, a title and a length, and answers cite it by that number.

/** One thing that a message carries. */
export interface Attachment {
  readonly kind: "file" | "selection" | "page" | "text";
  /** Shown on the chip and in the prompt: a path, a page's title. */
  readonly title: string;
  readonly text: string;
  /** Of the project's file it was taken from. */
  readonly path?: string;
  /** Of the page it was taken from. */
  readonly url?: string;
}

/** The message as the model reads it: the attachments as numbered data, then the words. Without attachments just the words. */
export function withAttachments(text: string, attachments: readonly Attachment[]): string {
  if (attachments.length === 0) return text;
  const blocks = attachments.map((attachment, index) => {
    const place = attachment.url ?? attachment.path;
    const from = place === undefined || place === attachment.title ? "" : ` (${place})`;
    return `[${index + 1}] ${attachment.title}${from}, ${attachment.text.length} characters of data:\n${attachment.text}\n[end of ${index + 1}]`;
  });
  const cite = attachments.some(({ kind }) => kind === "page") ? "\n\nWhere the answer rests on one of these, cite it as [1]." : "";
  return `${blocks.join("\n\n")}${cite}\n\n${text}`;
}
