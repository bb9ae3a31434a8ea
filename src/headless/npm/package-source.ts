// Where the resolver gets packages from: the registries of the configuration, and tarballs and folders of the disk.
import { LIMITS } from "../../base/limits.ts";
import { joinPath } from "../posix-path.ts";
import { NpmError } from "./error.ts";
import { foldersOf, type Project } from "./host.ts";
import { type Manifest, type PackageDocument, readDocument, readManifest } from "./manifest.ts";
import type { LocalPackage, PackageSource } from "./resolve.ts";
import { checkIntegrity, integrityOf, type PackedFile, unpackTarball } from "./tarball.ts";
import type { TreeNode } from "./tree.ts";

export interface Unpacked {
  readonly files: readonly PackedFile[];
  readonly manifest: Manifest;
  readonly integrity: string;
}

interface Wanted {
  /** Empty where the lockfile leaves the address out: then it is where registries have it by convention. */
  readonly resolved: string;
  readonly integrity: string;
  readonly name: string;
  readonly version: string;
  readonly what: string;
}

export class Packages implements PackageSource {
  readonly #project: Project;
  readonly #documents = new Map<string, Promise<PackageDocument>>();
  readonly #unpacked = new Map<string, Promise<Unpacked>>();
  #requests = 0;
  /** Told whenever something was asked of a registry. */
  onRequest: ((what: string) => void) | undefined;

  constructor(project: Project) {
    this.#project = project;
  }

  document(name: string): Promise<PackageDocument> {
    let document = this.#documents.get(name);
    if (!document) {
      document = this.#fetchDocument(name);
      this.#documents.set(name, document);
    }
    return document;
  }

  async #fetchDocument(name: string): Promise<PackageDocument> {
    const registry = this.#project.config.registryOf(name);
    this.#count(name);
    try {
      return readDocument(name, await this.#project.host.registry.document(registry, name));
    } catch (error) {
      if (!(error instanceof NpmError) || error.code !== "E404") throw error;
      const notes = ["", ` The requested resource '${name}@*' could not be found or you do not have permission to access it.`, "", "Note that you can also install from a", "tarball, folder, http url, or git url."];
      throw new NpmError("E404", error.message, { notes, cause: error });
    }
  }

  #count(what: string): void {
    if (++this.#requests > LIMITS.registryRequestsPerCommand) {
      throw new NpmError("ETOOMANY", `This command asked the registry for more than ${LIMITS.registryRequestsPerCommand} things and was stopped at ${what}.`);
    }
    this.onRequest?.(what);
  }

  folder(path: string): Manifest {
    const { vfs } = this.#project.host;
    if (vfs.find(path)?.kind !== "dir") throw new NpmError("ENOENT", `Could not install from "${path}" as it does not contain a package.json file.`, { exitCode: 254 });
    return foldersOf(vfs).manifest(path) ?? readManifest({});
  }

  async tarball(resolved: string): Promise<LocalPackage> {
    return this.unpack({ resolved, integrity: "", name: "", version: "", what: resolved });
  }

  async bundled(node: TreeNode): Promise<ReadonlyMap<string, Manifest>> {
    const found = new Map<string, Manifest>();
    for (const { path, data } of (await this.unpackNode(node)).files) {
      const match = /^((?:node_modules\/(?:@[^/]+\/)?[^/@]+\/)+)package\.json$/.exec(path);
      if (!match?.[1]) continue;
      try {
        found.set(match[1], readManifest(JSON.parse(new TextDecoder().decode(data))));
      } catch {
        // a package.json that is none belongs to no package
      }
    }
    return found;
  }

  unpackNode(node: TreeNode): Promise<Unpacked> {
    const name = node.manifest.name || node.name;
    return this.unpack({ resolved: node.resolved, integrity: node.integrity, name, version: node.version, what: `${name}@${node.version}` });
  }

  /** Fetches, checks against `integrity` when there is one, and unpacks; each tarball once. */
  unpack(request: Wanted): Promise<Unpacked> {
    const key = `${request.resolved}\0${request.integrity}\0${request.what}`;
    let unpacked = this.#unpacked.get(key);
    if (!unpacked) {
      unpacked = this.#unpack(request);
      this.#unpacked.set(key, unpacked);
    }
    return unpacked;
  }

  async #unpack({ resolved, integrity, name, version, what }: Wanted): Promise<Unpacked> {
    const bytes = await this.#bytes(resolved, integrity, name, version, what);
    if (integrity !== "") await checkIntegrity(bytes, integrity, what);
    const files = await unpackTarball(bytes, what);
    const packageJson = files.find(({ path }) => path === "package.json");
    if (!packageJson) throw new NpmError("ENOENT", `${what}: the tarball has no package.json.`);
    try {
      return { files, manifest: readManifest(JSON.parse(new TextDecoder().decode(packageJson.data).replace(/^\uFEFF/, ""))), integrity: integrity || (await integrityOf(bytes)) };
    } catch (cause) {
      throw cause instanceof NpmError ? cause : new NpmError("EJSONPARSE", `${what}: the tarball's package.json is no JSON.`, { cause });
    }
  }

  async #bytes(resolved: string, integrity: string, name: string, version: string, what: string): Promise<Uint8Array> {
    const { host, config } = this.#project;
    if (resolved.startsWith("file:")) {
      const path = resolved.slice("file:".length);
      if (host.vfs.find(path)?.kind !== "file") throw new NpmError("ENOENT", `no such file: ${path}, wanted by ${what}`, { exitCode: 254 });
      return host.vfs.readFile(path);
    }
    if (resolved === "" && name !== "" && version !== "") return this.#bytes(conventionalTarball(config.registryOf(name), name, version), integrity, name, version, what);
    if (!/^https?:\/\//.test(resolved)) throw new NpmError("EUNSUPPORTED", `${what} comes from ${resolved || "nowhere"}, which this container cannot fetch.`);
    const registry = config.registryOf(name);
    this.#count(what);
    return host.registry.tarball(registry, onRegistry(resolved, registry), integrity);
  }
}

function conventionalTarball(registry: string, name: string, version: string): string {
  return `${registry}${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
}

/** npm's own host stands in lockfiles for whatever registry is configured (`replace-registry-host`). */
function onRegistry(url: string, registry: string): string {
  const given = new URL(url);
  if (given.hostname !== "registry.npmjs.org") return url;
  const own = new URL(registry);
  return own.hostname === given.hostname ? url : own.origin + joinPath(own.pathname.replace(/\/$/, "") || "/", given.pathname.slice(1));
}
