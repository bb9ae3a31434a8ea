// What was measured on this device, kept in the browser's storage: its speeds, and how fast each model wrote. Losing it
// costs nothing but an estimate, so a browser that stores nothing is no error here.
import { rethrowIfFatal } from "../../base/errors.ts";
import type { DeviceSpeed } from "../../engine/api.ts";
import { openShelf } from "../../storage/shelf.ts";
import type { Measured } from "./model-verdict.ts";

const SPEED = "device-speed";
const RATES = "model-rates";

/** What is known; nothing where the browser stores nothing. */
export async function loadMeasured(): Promise<Measured> {
  try {
    const shelf = await openShelf<unknown>("settings");
    const [speed, rates] = await Promise.all([shelf.get(SPEED), shelf.get(RATES)]);
    return { ...(isSpeed(speed) ? { speed } : {}), rates: ratesOf(rates) };
  } catch (error) {
    rethrowIfFatal(error);
    return { rates: {} };
  }
}

/** Keeps the newest measurement in place of the one before. */
export async function keepSpeed(speed: DeviceSpeed): Promise<void> {
  await keep(SPEED, () => speed);
}

/** Tokens a second that a model was seen to write. */
export async function keepRate(model: string, rate: number): Promise<void> {
  await keep(RATES, (known) => ({ ...ratesOf(known), [model]: rate }));
}

async function keep(key: string, change: (known: unknown) => unknown): Promise<void> {
  try {
    const shelf = await openShelf<unknown>("settings");
    await shelf.put(key, change(await shelf.get(key)));
  } catch (error) {
    rethrowIfFatal(error);
  }
}

function ratesOf(value: unknown): Readonly<Record<string, number>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === "number"));
}

function isSpeed(value: unknown): value is DeviceSpeed {
  if (typeof value !== "object" || value === null) return false;
  const speed = value as Readonly<Record<string, unknown>>;
  return ["readPerSecond", "uploadPerSecond", "gpuPerSecond", "measuredAt"].every((key) => typeof speed[key] === "number");
}
