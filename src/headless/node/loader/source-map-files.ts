// The source maps of the files that a program has loaded, under --enable-source-maps: traces are told in the sources.
import { parse as parseCode } from "../later/parser.ts";
import { parentPath, resolvePath } from "../../posix-path.ts";
import type { Vfs } from "../../vfs.ts";
import { SourceMap, type SourceMapPayload } from "../builtins/source-map.ts";
import { fileToUrl, urlToFile } from "../file-url.ts";
import type { Position } from "../stack.ts";

const MARK = /^[#@]\s*sourceMappingURL=(\S+)\s*$/;

interface Entry {
  readonly path: string;
  readonly url: string;
  readonly text: string;
  /** Null: there is none that can be read. */
  map?: SourceMap | null;
}

export class SourceMapFiles {
  enabled: boolean;
  readonly #vfs: Vfs;
  readonly #entries = new Map<string, Entry>();

  constructor(vfs: Vfs, enabled: boolean) {
    this.#vfs = vfs;
    this.enabled = enabled;
  }

  /** A file's code, before it runs. */
  note(path: string, text: string): void {
    if (!this.enabled || !text.includes("sourceMappingURL=")) return;
    const url = mapUrl(text);
    if (url !== undefined) this.#entries.set(path, { path, url, text });
  }

  /** `module.findSourceMap`: of a path or a file: URL. */
  find(file: string): SourceMap | undefined {
    const entry = this.#entries.get(file.startsWith("file:") ? urlToFile(file.replace(/[?#].*$/, "")) : file);
    if (!entry) return undefined;
    if (entry.map === undefined) entry.map = this.#read(entry);
    return entry.map ?? undefined;
  }

  /** Where a place of the code was written; undefined where no map says. */
  through({ label, line, column }: Position): Position | undefined {
    if (!this.enabled || this.#entries.size === 0) return undefined;
    const map = this.find(label);
    const found = map?.findEntry(line - 1, column - 1) as { originalSource?: string; originalLine?: number; originalColumn?: number } | undefined;
    if (!map || found?.originalSource === undefined) return undefined;
    const { originalSource, originalLine = 0, originalColumn = 0 } = found;
    const path = originalSource.startsWith("file:") ? urlToFile(originalSource) : originalSource;
    const text = (): string | undefined => this.#text(map.payload, originalSource, path);
    return {
      label: path, line: originalLine + 1, column: originalColumn + 1,
      get sourceLine() {
        return text()?.split("\n")[originalLine];
      },
    };
  }

  #text({ sources = [], sourcesContent }: SourceMapPayload, source: string, path: string): string | undefined {
    const content = sourcesContent?.[sources.indexOf(source)];
    if (typeof content === "string") return content;
    const node = this.#vfs.find(path);
    return node?.kind === "file" ? new TextDecoder().decode(this.#vfs.readFile(path)) : undefined;
  }

  #read({ path, url, text }: Entry): SourceMap | null {
    try {
      const base64 = /^data:application\/json(?:;charset=[^;,]+)?;base64,(.*)$/s.exec(url)?.[1];
      const from = base64 === undefined ? resolvePath(decodeURIComponent(url.replace(/^file:\/\//, "")), parentPath(path)) : path;
      const json = base64 === undefined ? new TextDecoder().decode(this.#vfs.readFile(from)) : new TextDecoder().decode(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
      return new SourceMap(withAbsoluteSources(JSON.parse(json) as SourceMapPayload, from), { lineLengths: text.replace(/\n$/, "").split("\n").map((line) => line.length) });
    } catch (error) {
      // A map that is missing or broken is as good as none.
      if (error instanceof Error) return null;
      throw error;
    }
  }
}

/** Sources as file: URLs, as they lie beside the map. */
function withAbsoluteSources(payload: SourceMapPayload, from: string): SourceMapPayload {
  const absolute = (source: string): string => new URL((payload.sourceRoot ?? "") + source, fileToUrl(from)).href;
  return {
    ...payload, ...(payload.sources ? { sources: payload.sources.map(absolute) } : {}),
    ...(payload.sections ? { sections: payload.sections.map((section) => ({ ...section, map: withAbsoluteSources(section.map, from) })) } : {}),
  };
}

/** The last comment that names one, not what looks like it in a string. */
function mapUrl(text: string): string | undefined {
  let url: string | undefined;
  const onComment = (_isBlock: boolean, comment: string): void => {
    url = MARK.exec(comment)?.[1] ?? url;
  };
  for (const sourceType of ["script", "module"] as const) {
    url = undefined;
    try {
      parseCode(text, { ecmaVersion: "latest", sourceType, allowReturnOutsideFunction: true, allowHashBang: true, allowAwaitOutsideFunction: true, onComment });
      return url;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}
