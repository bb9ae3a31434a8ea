// The three stores on the same records of 1.77 MB in random order, each cold (the system's cache emptied first, where this process
// may) and warm. The profile lies on a disk.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { rethrowIfFatal } from "../../base/errors.ts";
import type { StoreBenchStep } from "../../engine/lab.ts";
import { BENCH_STORES, type BenchStore } from "../../engine/store-bench.ts";
import type { Lab } from "../../ui/lab/lab.ts";
import { openLabPage } from "../lab-page.ts";
import type { Measurement } from "./measurement.ts";

/** 531 MB in each store. */
const RECORDS = 300;
const NAMES: Readonly<Record<BenchStore, string>> = { opfs: "file storage", indexeddb: "database", file: "file in place" };

type LabWindow = typeof globalThis & { tabwrightLab?: Lab };

export async function measureStores(): Promise<readonly Measurement[]> {
  const lab = await openLabPage();
  const step = (asked: StoreBenchStep): Promise<number> => lab.page.evaluate((one) => (globalThis as LabWindow).tabwrightLab!.engine.connect().lab.benchStores(one), asked);
  const rows: Measurement[] = [];
  const add = (what: string, value: number, unit: string): void => void rows.push({ section: "store", what, value, unit });
  try {
    for (const store of BENCH_STORES) {
      process.stderr.write(`Writing ${RECORDS} records: ${NAMES[store]} …\n`);
      add(`${NAMES[store]}, written`, (await step({ step: "write", store, records: RECORDS })) / 1e9, "GB/s");
    }
    const rates = new Map<string, number>();
    for (const store of BENCH_STORES) {
      for (const inFlight of [1, 10]) {
        process.stderr.write(`Reading: ${NAMES[store]}, ${inFlight} in flight …\n`);
        const isCold = dropCaches();
        const first = await step({ step: "read", store, inFlight });
        if (isCold) add(`${NAMES[store]}, cold, ${inFlight} in flight`, first / 1e9, "GB/s");
        const warm = await step({ step: "read", store, inFlight });
        add(`${NAMES[store]}, warm, ${inFlight} in flight`, warm / 1e9, "GB/s");
        rates.set(`${store} cold`, Math.max(rates.get(`${store} cold`) ?? 0, isCold ? first : Number.NaN));
        rates.set(`${store} warm`, Math.max(rates.get(`${store} warm`) ?? 0, warm));
      }
    }
    for (const how of ["cold", "warm"]) {
      for (const store of ["indexeddb", "file"] as const) add(`file storage ÷ ${NAMES[store]}, ${how}, the better of each`, (rates.get(`opfs ${how}`) ?? 0) / (rates.get(`${store} ${how}`) ?? 0), "");
    }
    await step({ step: "end" });
    return rows;
  } finally {
    await lab.close();
  }
}

/** Empties the system's cache of files. False where this process may not: then nothing is cold. */
function dropCaches(): boolean {
  try {
    execFileSync("sync");
    writeFileSync("/proc/sys/vm/drop_caches", "3");
    return true;
  } catch (error) {
    rethrowIfFatal(error);
    return false;
  }
}
