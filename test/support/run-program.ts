// One program in the container's Node, run under Node itself, on files in a folder /p.
import { runNode } from "../../src/headless/node/run.ts";
import { Vfs } from "../../src/headless/vfs.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly vfs: Vfs;
}

type Options = Pick<Parameters<typeof runNode>[0], "signal" | "libraries">;

/** `files`: paths below /p and their texts. Resolves when the program has ended. */
export async function runProgram(files: Readonly<Record<string, string>>, argv: readonly string[], options: Options = {}): Promise<Ran> {
  const vfs = new Vfs();
  vfs.mkdir("/p");
  for (const [path, text] of Object.entries(files)) {
    const whole = `/p/${path}`;
    vfs.mkdir(whole.slice(0, whole.lastIndexOf("/")), { recursive: true });
    vfs.writeFile(whole, new TextEncoder().encode(text));
  }
  let out = "";
  let err = "";
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const code = await runNode({ vfs, argv, cwd: "/p", stdout: (b) => (out += decode(b)), stderr: (b) => (err += decode(b)), ...options });
  return { code, out, err, vfs };
}
