// From an address to the models that can be had there: the GGUF files of a repository or of any server, the parts of a
// split one together; and, from a file's header alone, whether it can run here and what it takes.
import { AppError } from "../base/errors.ts";
import { HUB_URL, parseAddress } from "../download/address.ts";
import { readRepository } from "../download/hub.ts";
import { probeFile } from "../download/probe.ts";
import type { RemoteFile } from "../download/range-request.ts";
import { RemoteSource } from "../download/remote-source.ts";
import { readGguf } from "../gguf/reader.ts";
import { type ByteSource, joinedSource } from "../gguf/source.ts";
import { partName, partNames } from "../gguf/split.ts";
import { storedForm } from "../model/stored-form.ts";
import { planModel } from "../model/weights.ts";
import type { ModelNeeds, RemoteListing, RemoteModel } from "./api.ts";
import { needsOf } from "./model-needs.ts";

/** Labels of quantisations as publishers write them into file names. */
const QUANTISATION = /(?:^|[-._])((?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|MXFP4(?:_MOE)?|NVFP4|BF16|F16|F32))(?=$|[-._])/i;
/** Beside models, repositories hold these. */
const NO_MODEL = /(?:^|[-_./])(?:mmproj|imatrix)/i;

/** Asks the hub or the server. Throws `download/address` or `download/failed`. */
export async function findRemoteModels(text: string, hubUrl: string = HUB_URL): Promise<RemoteListing> {
  const address = parseAddress(text, hubUrl);
  if (address.kind === "url") return probed(address.url);
  const { repository, revision, path, quantisation } = address;
  const { commit, files } = await readRepository(repository, revision, hubUrl);
  const below = files.filter(({ name }) => path === "" || name === path || name.startsWith(`${path}/`) || partNames(path).includes(name));
  const models = grouped(below, (name) => `${repository}${revision === "main" ? "" : `@${revision}`}/${name}`);
  if (models.length === 0) throw new AppError("download/failed", `${repository} holds no GGUF file${path === "" ? "" : ` called ${path}`}. Look for a repository whose name ends in GGUF.`);
  const wanted = quantisation.toLowerCase();
  const chosen = path === "" ? models.find((model) => wanted !== "" && model.quantisation.toLowerCase() === wanted) : models[0];
  return { place: new URL(hubUrl).host, title: repository, commit, models, ...(chosen ? { chosen: chosen.id } : {}) };
}

async function probed(url: string): Promise<RemoteListing> {
  const { host, pathname, search } = new URL(url);
  const urls = partNames(pathname).map((path) => new URL(path + search, url).href);
  const files = await Promise.all(urls.map((part) => probeFile(part)));
  const [model] = grouped(files, () => url);
  if (!model) throw new AppError("download/failed", `${files[0]?.name ?? url} is no GGUF file by its name. Use the address of a .gguf file.`);
  return { place: host, title: model.name, models: [model], chosen: model.id };
}

/** Models of one or all parts, smallest first; a split one with parts missing is none. */
function grouped(files: readonly RemoteFile[], idOf: (name: string) => string): readonly RemoteModel[] {
  const known = new Map(files.filter(({ name }) => /\.gguf$/i.test(name) && !NO_MODEL.test(name)).map((file) => [file.name, file]));
  const models = [...known.keys()].flatMap((name): RemoteModel[] => {
    if ((partName(name)?.no ?? 1) !== 1) return [];
    const parts = partNames(name).flatMap((part) => known.get(part) ?? []);
    if (parts.length !== (partName(name)?.count ?? 1)) return [];
    const whole = (partName(name)?.base ?? name.replace(/\.gguf$/i, "")).replace(/^.*\//, "");
    const quantisation = QUANTISATION.exec(whole)?.[1] ?? "";
    return [{ id: idOf(name), name: whole, quantisation, files: parts, bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) }];
  });
  return models.sort((a, b) => a.bytes - b.bytes);
}

/** The files of a model as one source. `sources`: each file's, to steer and to close. */
export function openRemote({ files }: RemoteModel, open: (file: RemoteFile) => RemoteSource = (file) => new RemoteSource(file)): { readonly source: ByteSource; readonly sources: readonly RemoteSource[] } {
  const sources = files.map(open);
  const [only] = sources;
  return { sources, source: sources.length === 1 && only ? only : joinedSource(sources) };
}

/** Fetches the header, some MB of it. Throws `model/…` naming what cannot be run, `download/…` or `aborted`. */
export async function inspectRemote(model: RemoteModel, f16: boolean, signal?: AbortSignal): Promise<ModelNeeds> {
  const { source, sources } = openRemote(model);
  try {
    const file = await readGguf(source, signal);
    return needsOf({ metadata: file.metadata, ...storedForm(file, planModel(file)) }, f16);
  } finally {
    for (const each of sources) each.close();
  }
}
