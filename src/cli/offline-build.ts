// The build's part of offline use: the web app manifest and the list of files with their hashes (vite-plugin-pwa writes
// both; what the service worker does with the list is our own code), and /headless for hosts that look for headless.html.
import { copyFile, readFile, stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { LogLevel, Plugin, PluginOption, ResolvedConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import type { PrecacheEntry } from "../offline/precache.ts";

/** A larger model of a site's own is not kept twice: it is in the model store once it was loaded. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Not part of using the app, or another name for a file that is. */
const LEFT_OUT = ["service-worker.js", "embed.js", "embed/**", "screenshot*.png", "headless.html", "**/*.map"];

/** Adds the manifest, service-worker.js with its list, and headless.html to the build. */
export function offlineBuild(): PluginOption[] {
  let outDir = "dist";
  let logLevel: LogLevel = "info";
  return [
    headlessFile((config) => void (logLevel = config.logLevel ?? logLevel)),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "workers",
      filename: "service-worker.ts",
      // The page registers it itself, when everything else is done.
      injectRegister: false,
      includeManifestIcons: false,
      manifest: {
        id: "/",
        name: "Tabwright",
        short_name: "Tabwright",
        description: "A coding assistant that lives in this tab. The model runs on your GPU; nothing leaves your machine.",
        start_url: "/",
        scope: "/",
        display: "standalone",
        categories: ["developer", "productivity"],
        theme_color: "#fbfaf8",
        background_color: "#fbfaf8",
        icons: [
          { src: "/icon.svg", sizes: "any", type: "image/svg+xml" },
          { src: "/icons/icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "/icons/icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "/icons/maskable-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
      injectManifest: {
        rollupFormat: "iife",
        globPatterns: ["**/*"],
        globIgnores: LEFT_OUT,
        maximumFileSizeToCacheInBytes: Number.MAX_SAFE_INTEGER,
        manifestTransforms: [
          async (entries) => {
            const files = await Promise.all(entries.map(({ url }) => describe(outDir, url)));
            const manifest = files.filter(({ bytes }) => bytes <= MAX_FILE_BYTES).sort((a, b) => (a.url < b.url ? -1 : 1));
            return { manifest: manifest.map((entry) => ({ ...entry, size: entry.bytes })), warnings: [] };
          },
        ],
      },
      integration: {
        beforeBuildServiceWorker(options) {
          outDir = options.injectManifest.globDirectory;
          // The plugin adds the manifest with a hash of another kind; it is in the list already.
          options.injectManifest.additionalManifestEntries = [];
        },
        // A command that builds first must keep its own output clean.
        configureCustomSWViteBuild(config) {
          config.logLevel = logLevel;
        },
      },
    }),
  ];
}

async function describe(folder: string, url: string): Promise<PrecacheEntry> {
  const bytes = await readFile(join(folder, url));
  return { url, revision: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.byteLength };
}

/** The WebContainer client asks for exactly `/headless`: some hosts find a folder under that name, some a file. */
function headlessFile(onConfig: (config: ResolvedConfig) => void): Plugin {
  return {
    name: "headless-file",
    apply: "build",
    configResolved: onConfig,
    async writeBundle({ dir }) {
      const folder = dir ?? "dist";
      const page = join(folder, "headless/index.html");
      if ((await stat(page).catch(() => undefined))?.isFile()) await copyFile(page, join(folder, "headless.html"));
    },
  };
}
