// The entry of npm's Worker. No user code runs in it: scripts and commands are processes of their own.
import { unpackImage } from "../packed-image.ts";
import { ProcessLink, type WorkerPort } from "../process-link.ts";
import type { StartMessage, ToProcess } from "../protocol.ts";
import type { RegistryAnswer, RegistryMode, RegistryQuestion } from "../registry/question.ts";
import { checkQuestion } from "../registry/question.ts";
import { Children } from "../shell/children.ts";
import { InputStream } from "../shell/streams.ts";
import { Vfs } from "../vfs.ts";
import type { FileOp } from "../vfs-node.ts";
import { runManager } from "./commands.ts";
import { NpmError } from "./error.ts";
import type { Host, Registry } from "./host.ts";

const link = new ProcessLink(self as unknown as WorkerPort, receive);
const children = new Children(link);
/** What comes to npm goes to the script that reads it. */
const input = new InputStream(false, () => link.post({ type: "stdin-wanted" }), (bytes) => link.post({ type: "input-taken", fd: 0, bytes }));
const answers = new Map<number, (answer: RegistryAnswer) => void>();
let vfs: Vfs | undefined;
let questions = 0;

function receive(message: ToProcess): void {
  switch (message.type) {
    case "start":
      if (!message.stdin) input.push(null);
      void runManager(hostOf(message), message.argv).then((code) => link.exit(code));
      return;
    case "file":
      return vfs?.follow(message.op);
    case "stdin":
      return input.push(message.data);
    case "registry-answer":
      answers.get(message.request)?.(message.answer);
      answers.delete(message.request);
      return;
    default:
      children.receive(message);
  }
}

function hostOf(start: StartMessage): Host {
  const replica = new Vfs(unpackImage(start.files));
  vfs = replica;
  let changes: FileOp[] = [];
  replica.onOp = (op) => void changes.push(op);
  const encoder = new TextEncoder();
  return {
    vfs: replica,
    registry: registryFor(modeOf(start.argv, start.env)),
    cwd: start.cwd,
    env: start.env,
    terminal: start.terminal !== null,
    out: (text) => link.write(1, encoder.encode(text)),
    err: (text) => link.write(2, encoder.encode(text)),
    commit() {
      if (changes.length > 0) link.post({ type: "files", ops: changes });
      changes = [];
      return Promise.resolve();
    },
    run(command, args, { cwd, env, output: taken }) {
      const output = (fd: number, data: Uint8Array): boolean => {
        if (taken) taken(data);
        else link.write(fd, data);
        return true;
      };
      return children.start({ command, args: [...args], cwd, env, terminal: start.terminal }, input, false, { output }).done;
    },
  };
}

function modeOf(argv: readonly string[], env: Readonly<Record<string, string>>): RegistryMode {
  if (argv.includes("--offline") || env["npm_config_offline"] === "true") return "offline";
  return argv.includes("--prefer-offline") || env["npm_config_prefer_offline"] === "true" ? "prefer-offline" : "online";
}

function registryFor(mode: RegistryMode): Registry {
  const ask = (asked: RegistryQuestion): Promise<Uint8Array> => {
    const question = checkQuestion(asked);
    if (!question) {
      const where = asked.kind === "tarball" ? asked.url : `${asked.registry}${asked.name}`;
      throw new NpmError("EREFUSED", `${where} cannot be fetched: only packages of the registry ${asked.registry} (over https) are.`);
    }
    return new Promise((resolve, reject) => {
      const request = ++questions;
      answers.set(request, (answer) => {
        if (answer.ok) resolve(answer.bytes);
        else reject(new NpmError(answer.code, answer.message));
      });
      link.post({ type: "registry", request, question });
    });
  };
  return {
    async document(registry, name) {
      const bytes = await ask({ kind: "document", registry, name, mode });
      try {
        return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
      } catch (cause) {
        throw new NpmError("FETCH_ERROR", `invalid json response body at ${registry}${name} reason: ${(cause as Error).message}`, { cause });
      }
    },
    tarball: async (registry, url, integrity) => ask({ kind: "tarball", registry, url, integrity, mode }),
  };
}
