// The report that "Copy report" copies: figures of the device and the engine as Markdown, in English so that whoever reads
// it can. Nothing of the chat or the project can get in: it is made from these values alone. Pure.
import { formatBytes, formatMs } from "../../base/units.ts";
import type { CacheLayer, DeviceReport, EngineDetails, GenerationStats, TokenProfile } from "../../engine/api.ts";

/** All that can get into the report. */
export interface ReportParts {
  readonly device: DeviceReport | undefined;
  readonly details: EngineDetails;
  readonly profile: TokenProfile | undefined;
  readonly stats: GenerationStats | undefined;
  readonly userAgent: string;
  readonly isolated: boolean;
}

/** How full and how used the cache is, layer by layer. */
export function cacheRow({ resident, uses, hits, misses }: CacheLayer): { readonly resident: number; readonly uses: number; readonly hitRate: number | undefined; readonly most: number } {
  const total = hits + misses;
  const most = uses.reduce((best, count, expert) => (count > uses[best]! ? expert : best), 0);
  return { resident: resident.reduce((sum, bit) => sum + bit, 0), uses: total, hitRate: total > 0 ? hits / total : undefined, most };
}

/** The report, as Markdown in English. */
export function detailsReport({ device, details, profile, stats, userAgent, isolated }: ReportParts): string {
  const lines = [
    "# Tabwright report",
    `- browser: ${userAgent}${isolated ? ", isolated" : ""}`,
    ...(device ? deviceLines(device) : []),
    `- model: ${details.modelId || "none"} (${details.kind}), ${details.tokens} tokens computed, context ${details.contextTokens} / ${details.contextLimit}`,
    `- GPU memory: ${Object.entries(details.memory).map(([kind, bytes]) => `${kind} ${formatBytes(bytes)}`).join(", ")}`,
    ...(stats ? [statsLine(stats)] : []),
    ...cacheLines(details),
    ...(profile ? profileLines(profile) : []),
    "## Errors",
    ...(details.errors.length === 0 ? ["none"] : details.errors.map(({ at, code, message }) => `- ${new Date(at).toISOString()} ${code}: ${message}`)),
  ];
  return `${lines.join("\n")}\n`;
}

function deviceLines(device: DeviceReport): readonly string[] {
  const { adapter, software, maxBindingBytes, maxBufferBytes, f16, subgroups, timestamps, memoryGb, cores, storageUsedBytes, storageQuotaBytes, persisted, problem } = device;
  return [
    `- GPU: ${problem ?? `${adapter}${software ? " (software)" : ""}, binding ${formatBytes(maxBindingBytes)}, buffer ${formatBytes(maxBufferBytes)}, f16 ${f16}, subgroups ${subgroups}, timestamps ${timestamps}`}`,
    `- machine: ${memoryGb ?? "unknown"} GB, ${cores} cores`,
    `- storage: ${formatBytes(storageUsedBytes)} used, quota as told ${formatBytes(storageQuotaBytes)}, persisted ${persisted}`,
  ];
}

function statsLine(stats: GenerationStats): string {
  const rate = stats.decodeMs > 0 ? ((stats.completionTokens - 1) * 1000) / stats.decodeMs : 0;
  return `- last turn: ${stats.promptTokens} prompt (${stats.reusedTokens} reused), ${stats.completionTokens} written at ${rate.toFixed(1)} tokens/s, first after ${formatMs(stats.firstTokenMs)}, ${stats.expertHits} of ${stats.expertUses} expert hits, ${formatBytes(stats.streamedBytes)} streamed`;
}

function cacheLines({ cache, expertSlots }: EngineDetails): readonly string[] {
  if (cache.length === 0) return [];
  const rows = cache.map((layer, index) => {
    const { resident, uses, hitRate } = cacheRow(layer);
    return `| ${index} | ${resident} of ${layer.uses.length} | ${uses} | ${hitRate === undefined ? "-" : `${(100 * hitRate).toFixed(1)} %`} |`;
  });
  return [`## Expert cache, ${expertSlots} slots`, "| layer | resident | uses | hits |", "|---|---|---|---|", ...rows];
}

function profileLines({ clock, tokens, layers, embeddingMs, outputMs, roundTripMs }: TokenProfile): readonly string[] {
  const rows = layers.map(({ kind, mixerMs, expertsMs, loadMs, missed }, layer) => `| ${layer} ${kind} | ${mixerMs.toFixed(3)} | ${expertsMs.toFixed(3)} | ${loadMs.toFixed(2)} | ${missed} |`);
  return [
    `## Time of a token, ms (${clock} clock, mean of ${tokens}, round trip ${roundTripMs.toFixed(2)})`,
    `embedding ${embeddingMs.toFixed(3)}, output ${outputMs.toFixed(3)}`,
    "| layer | mixer | experts | reading | missed |",
    "|---|---|---|---|---|",
    ...rows,
  ];
}
