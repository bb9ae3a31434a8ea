// The language of a file by its name; each is a chunk of its own, loaded when such a file is first opened.
import type { Extension } from "@codemirror/state";

/** Undefined: plain text. */
export async function languageOf(path: string): Promise<Extension | undefined> {
  const extension = /\.([^./]+)$/.exec(path.toLowerCase())?.[1] ?? "";
  switch (extension) {
    case "js":
    case "cjs":
    case "mjs":
    case "jsx":
    case "ts":
    case "cts":
    case "mts":
    case "tsx": {
      const { javascript } = await import("@codemirror/lang-javascript");
      return javascript({ typescript: /^[cm]?tsx?$/.test(extension), jsx: extension.endsWith("x") });
    }
    case "css":
      return (await import("@codemirror/lang-css")).css();
    case "html":
    case "htm":
    case "svg":
    case "vue":
      return (await import("@codemirror/lang-html")).html();
    case "json":
      return (await import("@codemirror/lang-json")).json();
    case "md":
    case "markdown":
      return (await import("@codemirror/lang-markdown")).markdown();
    default:
      return undefined;
  }
}
