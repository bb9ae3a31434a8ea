// How long a visitor waits: the built page in fresh profiles, without and with a slow line and a slow machine, as
// Lighthouse measures it. First paint, the composer ready to type, the longest time the page did not answer, and what
// came over the line before the first click: the engine's chunk is not among it.
import type { Browser, Page } from "playwright-core";
import { launchBrowser } from "../browser.ts";
import { serveSite } from "../serve.ts";
import { median, type Measurement } from "./measurement.ts";

const ROUNDS = 5;
/** Time after the load event in which late requests and long tasks still count. */
const SETTLE_MS = 1500;

interface Profile {
  readonly name: string;
  readonly cpuSlowdown: number;
  readonly network?: { readonly downloadThroughput: number; readonly uploadThroughput: number; readonly latency: number };
}

/** The second is Lighthouse's mobile profile: 150 ms, 1.6 Mbit/s, a processor four times slower. */
const PROFILES: readonly Profile[] = [
  { name: "this machine", cpuSlowdown: 1 },
  { name: "slow 4G, CPU ÷ 4", cpuSlowdown: 4, network: { downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8, latency: 150 } },
];

interface Load {
  readonly firstPaintMs: number;
  readonly interactiveMs: number;
  readonly blockedMs: number;
  readonly kib: number;
  readonly engineRequests: number;
}

async function load(browser: Browser, origin: string, profile: Profile): Promise<Load> {
  const context = await browser.newContext({ serviceWorkers: "block", viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: profile.cpuSlowdown });
  await devtools.send("Network.enable");
  if (profile.network) await devtools.send("Network.emulateNetworkConditions", { offline: false, ...profile.network });
  let [bytes, engineRequests] = [0, 0];
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  page.on("request", (request) => {
    if (/\/assets\/(webllm|inference)-|\/models\/.+\.gguf/.test(request.url())) engineRequests++;
  });
  await page.addInitScript(() => {
    const seen = { blockedMs: 0 };
    Object.assign(globalThis, { seen });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.blockedMs += Math.max(0, duration - 50);
    }).observe({ type: "longtask", buffered: true });
  });
  await page.goto(origin);
  await page.getByRole("textbox").first().waitFor();
  const interactiveMs = await page.evaluate(() => performance.now());
  await page.waitForTimeout(SETTLE_MS);
  const [firstPaintMs, blockedMs] = await timings(page);
  await context.close();
  return { firstPaintMs, interactiveMs, blockedMs, kib: bytes / 1024, engineRequests };
}

function timings(page: Page): Promise<readonly [number, number]> {
  return page.evaluate(() => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN;
    return [paint, (globalThis as typeof globalThis & { seen: { blockedMs: number } }).seen.blockedMs] as const;
  });
}

/** Medians over fresh profiles, one row a figure and profile. Needs the built app. */
export async function measurePageLoad(): Promise<readonly Measurement[]> {
  const site = await serveSite({ port: 0, compress: true });
  const browser = await launchBrowser();
  try {
    const rows: Measurement[] = [];
    for (const profile of PROFILES) {
      const loads: Load[] = [];
      for (let round = 0; round < ROUNDS; round++) loads.push(await load(browser, site.origin, profile));
      const row = (what: string, of: (load: Load) => number, unit: string): void => void rows.push({ section: "page", what: `${profile.name}: ${what}`, value: median(loads.map(of)), unit });
      row("first contentful paint", ({ firstPaintMs }) => firstPaintMs, `ms (median of ${ROUNDS})`);
      row("ready to type", ({ interactiveMs }) => interactiveMs, "ms");
      row("blocked (sum of long tasks over 50 ms)", ({ blockedMs }) => blockedMs, "ms");
      row("transferred before a click", ({ kib }) => kib, "KiB");
      row("requests for engine or model before a click", ({ engineRequests }) => engineRequests, "");
    }
    return rows;
  } finally {
    await browser.close();
    await site.close();
  }
}
