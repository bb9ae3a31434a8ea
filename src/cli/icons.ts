// Draws public/icons/*.png from public/icon.svg; run it when the icon changes: npx tsx src/cli/icons.ts
// The maskable one has its ground to the edges and the sign inside the middle 80 %, which every platform's mask shows.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launchBrowser } from "./browser.ts";

const PUBLIC = fileURLToPath(new URL("../../public/", import.meta.url));
const ICONS = [
  { file: "icon-192.png", px: 192, sign: 1, corner: 7 },
  { file: "icon-512.png", px: 512, sign: 1, corner: 7 },
  { file: "maskable-512.png", px: 512, sign: 0.8, corner: 0 },
] as const;

const svg = await readFile(`${PUBLIC}icon.svg`, "utf8");
const ground = /<rect[^>]*fill="([^"]+)"/.exec(svg)?.[1];
if (!ground) throw new Error("public/icon.svg has no <rect fill> for its ground.");
await mkdir(`${PUBLIC}icons`, { recursive: true });
const browser = await launchBrowser({ webgpu: false });
try {
  for (const { file, px, sign, corner } of ICONS) {
    const page = await browser.newPage({ viewport: { width: px, height: px } });
    const drawn = svg.replace(/rx="[^"]*"/, `rx="${corner}"`).replace("<svg ", `<svg width="${px * sign}" height="${px * sign}" `);
    const body = `margin:0;block-size:100vh;display:grid;place-items:center;background:${corner === 0 ? ground : "transparent"}`;
    await page.setContent(`<!doctype html><body style="${body}">${drawn}</body>`);
    await writeFile(`${PUBLIC}icons/${file}`, await page.screenshot({ omitBackground: true }));
  }
} finally {
  await browser.close();
}
