// A registry on this machine that serves real tarballs: the packages that this repository has installed, packed when they
// are asked for, and packages that a test makes up. Answers by npm's protocol, and badly where a test wants it.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import semver from "semver";

type Json = Record<string, unknown>;

/** What is wrong with the answers for a path of the registry (a document's or a tarball's). */
export type Fault = "404" | "500" | "html" | "cut" | "slow" | "other bytes" | "offline" | "huge";

export interface MadePackage extends Json {
  readonly name: string;
  readonly version: string;
  /** By path below the package; package.json is made of the rest. Paths are taken as they are, `../x` too. */
  readonly files?: Readonly<Record<string, string>>;
  readonly executable?: readonly string[];
}

interface Version {
  readonly manifest: Json;
  pack(): Promise<Buffer>;
}

const ROOT = fileURLToPath(new URL("../../node_modules", import.meta.url));
/** What the abbreviated form of a document keeps of a version. */
const ABBREVIATED = [
  "name", "version", "deprecated", "dependencies", "optionalDependencies", "devDependencies", "bundleDependencies", "peerDependencies",
  "peerDependenciesMeta", "acceptDependencies", "bin", "directories", "dist", "engines", "cpu", "os", "libc", "funding", "hasInstallScript",
];

export class RegistryServer {
  readonly #versions = new Map<string, Map<string, Version>>();
  readonly #tarballs = new Map<string, Promise<Buffer>>();
  readonly #tags = new Map<string, Record<string, string>>();
  readonly faults = new Map<string, Fault>();
  /** Path of every request, in order. */
  readonly requests: string[] = [];
  /** Headers of every request. */
  readonly headers: IncomingMessage["headers"][] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error))));
  origin = "";

  /** `installed`: names of packages of node_modules that it serves, in every version there; all when left out. */
  static async start(installed?: readonly string[]): Promise<RegistryServer> {
    const server = new RegistryServer();
    server.#scan(ROOT, installed && new Set(installed));
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    const address = server.#server.address();
    server.origin = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
    return server;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** Publishes packages that a test makes up. */
  add(...packages: readonly MadePackage[]): void {
    for (const { files = {}, executable = [], ...manifest } of packages) {
      const contents = { "package.json": JSON.stringify(manifest, null, 2), ...files };
      this.#put(manifest as Json, () => pack(Object.entries(contents).map(([path, text]) => ({ path, data: Buffer.from(text), mode: executable.includes(path) ? 0o755 : 0o644 }))));
    }
  }

  tag(name: string, tags: Record<string, string>): void {
    this.#tags.set(name, { ...this.#tags.get(name), ...tags });
  }

  /** `/name/-/name-1.0.0.tgz`. */
  tarballPath(name: string, version: string): string {
    return `/${name}/-/${name.split("/").pop()}-${version}.tgz`;
  }

  tarball(name: string, version: string): Promise<Buffer> {
    const key = `${name}@${version}`;
    let made = this.#tarballs.get(key);
    if (!made) this.#tarballs.set(key, (made = this.#versions.get(name)!.get(version)!.pack()));
    return made;
  }

  #put(manifest: Json, make: () => Promise<Buffer>): void {
    const name = String(manifest["name"]);
    if (!this.#versions.has(name)) this.#versions.set(name, new Map());
    this.#versions.get(name)!.set(String(manifest["version"]), { manifest, pack: make });
  }

  #scan(folder: string, only: ReadonlySet<string> | undefined): void {
    for (const entry of readdirSync(folder)) {
      if (entry.startsWith(".")) continue;
      const path = join(folder, entry);
      if (entry.startsWith("@")) {
        this.#scan(path, only);
        continue;
      }
      const file = join(path, "package.json");
      if (existsSync(file)) {
        const manifest = JSON.parse(readFileSync(file, "utf8")) as Json;
        if (typeof manifest["version"] === "string" && (!only || only.has(String(manifest["name"])))) this.#put(manifest, () => pack(packageFiles(path)));
      }
      if (existsSync(join(path, "node_modules"))) this.#scan(join(path, "node_modules"), only);
    }
  }

  async #document(name: string, abbreviated: boolean): Promise<Json | undefined> {
    const versions = this.#versions.get(name);
    if (!versions) return undefined;
    const out: Json = {};
    for (const [version, { manifest }] of versions) {
      const tarball = await this.tarball(name, version);
      const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
      const shasum = createHash("sha1").update(tarball).digest("hex");
      const scripts = (manifest["scripts"] ?? {}) as Json;
      const installs = ["preinstall", "install", "postinstall"].some((script) => script in scripts);
      const whole: Json = { ...manifest, ...(installs ? { hasInstallScript: true } : {}), dist: { integrity, shasum, tarball: this.origin + this.tarballPath(name, version) } };
      out[version] = abbreviated ? Object.fromEntries(ABBREVIATED.filter((field) => field in whole).map((field) => [field, whole[field]])) : whole;
    }
    const latest = [...versions.keys()].filter((version) => !semver.prerelease(version)).sort(semver.rcompare)[0] ?? [...versions.keys()][0]!;
    return { name, "dist-tags": { latest, ...this.#tags.get(name) }, versions: out, ...(abbreviated ? { modified: "2024-01-01T00:00:00.000Z" } : { time: {} }) };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? "/").split("?")[0]!);
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "*");
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    this.requests.push(path);
    this.headers.push(request.headers);
    const fault = this.faults.get(path) ?? this.faults.get("*");
    if (fault === "offline") return void request.socket.destroy();
    if (fault === "404") return void response.writeHead(404, { "content-type": "application/json" }).end('{"error":"Not found"}');
    if (fault === "500") return void response.writeHead(500).end("broken");
    if (fault === "html") return void response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Sign in</title>");
    if (fault === "slow") await new Promise((resolve) => setTimeout(resolve, 1_500));
    if (fault === "huge") {
      response.writeHead(200, { "content-length": String(4 * 1024 ** 3) });
      return void response.write(Buffer.alloc(1024));
    }
    const tarball = /^\/(.+)\/-\/(?:.+?)-(\d+\.\d+\.\d+.*)\.tgz$/.exec(path);
    if (tarball) {
      if (!this.#versions.get(tarball[1]!)?.has(tarball[2]!)) return void response.writeHead(404).end();
      let bytes = await this.tarball(tarball[1]!, tarball[2]!);
      if (fault === "other bytes") bytes = await pack([{ path: "package.json", data: Buffer.from("{}"), mode: 0o644 }]);
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length });
      if (fault !== "cut") return void response.end(bytes);
      response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
      return;
    }
    const abbreviated = /vnd\.npm\.install-v1/.test(request.headers.accept ?? "") && !request.headers.accept?.startsWith("application/json");
    const document = await this.#document(path.slice(1), abbreviated);
    if (!document) return void response.writeHead(404, { "content-type": "application/json" }).end('{"error":"Not found"}');
    response.writeHead(200, { "content-type": abbreviated ? "application/vnd.npm.install-v1+json" : "application/json" }).end(JSON.stringify(document));
  }
}

interface TarFile {
  readonly path: string;
  readonly data: Buffer;
  readonly mode: number;
}

/** The same bytes for the same files, whenever it is packed. */
export async function pack(files: readonly TarFile[], folder = "package"): Promise<Buffer> {
  const mtime = new Date("1985-10-26T08:15:00.000Z");
  const entries = [...files].sort((a, b) => (a.path < b.path ? -1 : 1)).map(({ path, data, mode }) => ({ header: { name: `${folder}/${path}`, size: data.length, type: "file" as const, mode, mtime }, body: new Uint8Array(data) }));
  return gzipSync(await packTar(entries), { level: 1 });
}

function packageFiles(folder: string): TarFile[] {
  const files: TarFile[] = [];
  const visit = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules") visit(path);
      } else if (entry.isFile()) {
        files.push({ path: relative(folder, path), data: readFileSync(path), mode: statSync(path).mode & 0o777 });
      }
    }
  };
  visit(folder);
  return files;
}
