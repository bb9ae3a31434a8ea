// Bytes of the built app as they travel: every script and page, gzip -9.
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { DIST } from "../serve.ts";
import type { Measurement } from "./measurement.ts";

export async function measureSizes(): Promise<readonly Measurement[]> {
  const entries = await readdir(DIST, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(js|html|css)$/.test(entry.name)).map((entry) => join(entry.parentPath, entry.name));
  const rows = await Promise.all(
    files.map(async (file) => ({
      section: "sizes",
      what: relative(DIST, file).replace(/-[\w-]{8}\.js$/, ".js"),
      value: Math.round(gzipSync(await readFile(file), { level: 9 }).length / 102.4) / 10,
      unit: "KiB gz",
    })),
  );
  return rows.sort((a, b) => b.value - a.value);
}
