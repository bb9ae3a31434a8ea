// The browser that commands and tests drive: CHROMIUM_PATH, else an installed Chrome or Chromium, else the one
// that npm ships (@sparticuz/chromium). WebGPU runs on SwiftShader unless TABWRIGHT_GPU=1 asks for the real adapter.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { AppError } from "../base/errors.ts";

const NAMES = ["google-chrome-stable", "google-chrome", "chromium", "chromium-browser"];
const MAC_PATHS = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const QUIET_FLAGS: readonly string[] = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/**
 * WebGPU where it is not on by default; on SwiftShader unless the real adapter is asked for. SwiftShader does not zero shared memory
 * then: it compiles a store for every element, 0.5 s for 4 KB, and the kernel tests took 226 s with it and 121 s without (2026-11-27).
 * WGSL promises zeros; a kernel that counts on them is found by this, not hidden.
 */
const WEBGPU_FLAGS: readonly string[] = [
  "--enable-unsafe-webgpu",
  ...(process.env["TABWRIGHT_GPU"] === "1" ? [] : ["--use-webgpu-adapter=swiftshader", "--enable-dawn-features=disable_workgroup_init"]),
];

/** What every test in a browser starts it with. */
export const BROWSER_FLAGS: readonly string[] = [...QUIET_FLAGS, ...WEBGPU_FLAGS];

/** Path of a Chromium that exists. Throws `command/usage` naming what was tried. */
export async function findBrowser(): Promise<string> {
  const wanted = process.env["CHROMIUM_PATH"];
  if (wanted) {
    if (existsSync(wanted)) return wanted;
    throw new AppError("command/usage", `CHROMIUM_PATH is ${wanted}, which does not exist. Correct it or unset it.`);
  }
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of NAMES) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (existsSync(path)) return path;
    }
  }
  for (const path of MAC_PATHS) if (existsSync(path)) return path;
  try {
    const { default: packaged } = await import("@sparticuz/chromium");
    return await packaged.executablePath();
  } catch (cause) {
    throw new AppError("command/usage", "No Chrome or Chromium was found. Install one, or set CHROMIUM_PATH to its executable.", { cause });
  }
}

/** A headless browser, with WebGPU unless a test wants to see what happens without. The caller closes it. */
export async function launchBrowser({ webgpu = true, flags = [] }: { readonly webgpu?: boolean; readonly flags?: readonly string[] } = {}): Promise<Browser> {
  return chromium.launch({ executablePath: await findBrowser(), headless: true, args: [...(webgpu ? BROWSER_FLAGS : QUIET_FLAGS), ...flags] });
}

/**
 * As `launchBrowser`, with a profile in this folder: what a page stores lies on disk, within the disk's quota and not the few
 * gigabytes of a profile in memory. The caller closes the context.
 */
export async function launchProfile(folder: string, { webgpu = true }: { readonly webgpu?: boolean } = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { executablePath: await findBrowser(), headless: true, args: [...(webgpu ? BROWSER_FLAGS : QUIET_FLAGS)], viewport: { width: 1280, height: 800 } });
}
