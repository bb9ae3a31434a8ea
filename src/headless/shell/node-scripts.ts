// `./tool.js | cat`: just-bash would read a Node script as shell. Before it runs, a command named by the path of a file
// whose first line asks for node becomes `node` with that file. (A path that a `cd` in the same script makes valid is
// not seen.)
import { FsError } from "../fs-error.ts";
import { commandName, resolvePath } from "../posix-path.ts";
import type { Vfs } from "../vfs.ts";

interface Word {
  readonly type: "Word";
  readonly parts: readonly { readonly type: string; readonly value?: unknown }[];
}

/** For `Bash.registerTransformPlugin`. */
export function nodeScripts(vfs: Vfs, cwd: string): { name: string; transform<A extends object>(context: { ast: A }): { ast: A } } {
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if (Array.isArray(node)) return node.forEach(visit);
    const command = node as { type?: unknown; name?: Word | null; args?: Word[] };
    if (command.type === "SimpleCommand" && command.name && command.args && isNodeScript(vfs, cwd, literal(command.name))) {
      command.args = [command.name, ...command.args];
      command.name = { type: "Word", parts: [{ type: "Literal", value: "node" }] };
    }
    // just-bash has our programs by name alone.
    if (command.type === "SimpleCommand" && command.name && commandName(literal(command.name)) !== literal(command.name)) {
      command.name = { type: "Word", parts: [{ type: "Literal", value: commandName(literal(command.name)) }] };
    }
    Object.values(node).forEach(visit);
  };
  return {
    name: "node-scripts",
    transform(context) {
      visit(context.ast);
      return { ast: context.ast };
    },
  };
}

/** The word's text if nothing in it is quoted or expanded. */
function literal({ parts }: Word): string {
  const [only] = parts;
  return parts.length === 1 && only?.type === "Literal" && typeof only.value === "string" ? only.value : "";
}

function isNodeScript(vfs: Vfs, cwd: string, word: string): boolean {
  if (!word.includes("/")) return false;
  try {
    const head = new TextDecoder().decode(vfs.readFile(resolvePath(word, cwd)).subarray(0, 128));
    return /^#!.*\bnode\b/.test(head);
  } catch (error) {
    if (error instanceof FsError) return false;
    throw error;
  }
}
