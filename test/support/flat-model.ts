// The bundled model made unsure: its last norm is scaled down, so that it says the same words with probabilities that are
// nearly alike. On the site's list beside the bundled one, as "Flat".
import { createHash } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";

const SCALE = 0.05;

interface Listed {
  readonly file: string;
}

/** Files for `serveSite`: the list with both models, and the flat one. */
export async function siteWithFlatModel(): Promise<ReadonlyMap<string, string>> {
  const list = JSON.parse(await readFile("public/models/models.json", "utf8")) as Listed[];
  const bundled = list[0]!;
  const bytes = new Uint8Array(await readFile(`public/models/${bundled.file}`));
  const { tensors } = await readGguf(bytesSource(bundled.file, bytes));
  const norm = tensors.find(({ name }) => name === "output_norm.weight")!;
  const weights = new Float32Array(bytes.slice(norm.offset, norm.offset + norm.bytes).buffer).map((weight) => weight * SCALE);
  bytes.set(new Uint8Array(weights.buffer), norm.offset);
  const folder = await mkdtemp(join(tmpdir(), "tabwright-flat-"));
  const [model, models] = [join(folder, "flat.gguf"), join(folder, "models.json")];
  await writeFile(model, bytes);
  const flat = { id: "flat", name: "Flat", file: "flat.gguf", bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  await writeFile(models, JSON.stringify([bundled, flat]));
  return new Map([["/models/models.json", models], ["/models/flat.gguf", model]]);
}
