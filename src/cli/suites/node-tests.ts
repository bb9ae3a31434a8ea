// Node's own tests: which there are, what they ask for, and how they run in real Node.
import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../base/errors.ts";
import { encodeTree } from "../../container/snapshot.ts";
import { readProject } from "../project-files.ts";

export interface NodeTest {
  /** `parallel/test-path.js`. */
  readonly name: string;
  /** What its first lines ask to be given to `node`. */
  readonly flags: readonly string[];
}

export interface NodeTestRun extends NodeTest {
  readonly passed: boolean;
  /** `exit 1`, `late`. */
  readonly end: string;
  readonly output: string;
}

export const TESTS_PATH = "/lab/node-tests.snapshot";
const FOLDERS = ["parallel", "es-module"];
const NODE_LIMIT_MS = 30_000;

/** By name: Node's inside, its own tools, what docs/container.md says is missing, and what is here in part only (the REPL, dns, domain). */
const NOT_OURS =
  /^test-(cluster|tls|https|http2|h2|dgram|inspector|debugger|report|snapshot|wasi|policy|permission|trace|tracing|v8|heap|heapsnapshot|heapdump|cpu-prof|dns|addon|sea|single-executable|internal|shadow-realm|eslint|corepack|quic|startup|primordials|code-cache|bootstrap|strace|macos|windows|postject|embedder|uv|node-output|openssl|testcfg|benchmark|binding|wrap-js|ttywrap|tcp-wrap|pipe-?wrap|process-binding|libuv|disable-proto|icu|gc-|force-repl|repl-|domain-)/;
/** By their text: those, and the engine's switches. */
const ASKS_FOR_INSIDES = /--expose-internals|internalBinding|--allow-natives-syntax|--expose[-_]gc|--inspect|--v8-|--max-old-space|--stack-size|common\/(dns|inspector-helper|debugger|heap|cpu-prof|wasi|quic|gc|v8|report|udp|http2|tls)|require\('(node:)?(cluster|tls|https|http2|dgram|inspector|v8|wasi|trace_events)'\)|skipIfInspectorDisabled/;

/** Those that this container means to pass. Throws `command/usage` for a folder that is no source of Node. */
export async function listNodeTests(source: string): Promise<readonly NodeTest[]> {
  const tests: NodeTest[] = [];
  for (const folder of FOLDERS) {
    const files = await readdir(join(source, "test", folder)).catch((cause: unknown) => {
      throw new AppError("command/usage", `${source} holds no test/${folder}: give the folder of an unpacked source release of Node 20 with --source.`, { cause });
    });
    for (const file of files.sort()) {
      if (!/^test-.*\.m?js$/.test(file) || NOT_OURS.test(file)) continue;
      const text = await readFile(join(source, "test", folder, file), "utf8");
      if (ASKS_FOR_INSIDES.test(text)) continue;
      const flags = [...text.matchAll(/^\/\/ Flags:(.*)$/gm)].flatMap((match) => match[1]!.trim().split(/\s+/));
      tests.push({ name: `${folder}/${file}`, flags });
    }
  }
  return tests;
}

/** "passed", "skipped", "failed"; each worker has a folder for what tests write. */
export async function runInNode(source: string, { name, flags }: NodeTest, worker: number): Promise<string> {
  const env = { ...process.env, TEST_THREAD_ID: String(worker), NO_COLOR: undefined, FORCE_COLOR: undefined };
  const child = spawn(process.execPath, [...flags, join(source, "test", name)], { cwd: source, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const timer = setTimeout(() => process.kill(-child.pid!, "SIGKILL"), NODE_LIMIT_MS);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  if (code !== 0) return "failed";
  return /^1\.\.0 # Skipped/m.test(output) ? "skipped" : "passed";
}

/** A folder of the source that tests change to and read nothing in. */
const EMPTY_FOLDER = "lib/.keep";

/** Tests and what they read, packed into a file of `scratch` for the page to mount as `test`; without the fixtures of tests that are not run here. */
export async function packNodeTests(source: string, scratch: string): Promise<Map<string, string>> {
  const { files, links } = await readProject(join(source, "test"), ["wpt", "snapshot", ".git"]);
  const wanted = new Map<string, Uint8Array>([[EMPTY_FOLDER, new Uint8Array()]]);
  for (const [path, data] of files) if (/^(common|fixtures|parallel|es-module)\//.test(path)) wanted.set(`test/${path}`, data);
  const linked = new Map([...links].filter(([path]) => path.startsWith("fixtures/")).map(([path, target]) => [`test/${path}`, target] as const));
  const packed = join(scratch, "tests.snapshot");
  await writeFile(packed, encodeTree(wanted, linked));
  return new Map([[TESTS_PATH, packed]]);
}
