// `unit` runs under Node; `browser` runs in Chromium with WebGPU on SwiftShader; `e2e` drives the built app. `dawn`, only where
// TABWRIGHT_DAWN names the npm package webgpu's index.js, runs the kernel tests under Node on the machine's own adapter:
//   TABWRIGHT_DAWN=/tmp/dawn/node_modules/webgpu/index.js npx vitest run --project dawn
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { BROWSER_FLAGS, findBrowser } from "./src/cli/browser.ts";
import { ISOLATION_HEADERS } from "./src/offline/isolation.ts";

const dawn = {
  extends: true as const,
  test: { name: "dawn", include: ["test/{kernels,dawn}/**/*.test.ts"], environment: "node" as const, setupFiles: ["test/support/dawn.ts"], testTimeout: 240_000, hookTimeout: 240_000, fileParallelism: false },
};

export default defineConfig({
  server: { headers: ISOLATION_HEADERS },
  test: {
    reporters: ["default"],
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], environment: "node", testTimeout: 20_000, maxWorkers: 3 } },
      ...(process.env["TABWRIGHT_DAWN"] ? [dawn] : []),
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/{kernels,browser,contract,faults}/**/*.test.ts"],
          // Compiling the kernels for SwiftShader takes seconds alone, minutes beside other work.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          // Two files at a time: one alone leaves a core idle while it compiles.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: await findBrowser(), args: [...BROWSER_FLAGS] } }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          environment: "node",
          // A model that answers on a slow, shared CPU took 175 s once; no test is meant to say how long.
          testTimeout: 400_000,
          hookTimeout: 300_000,
          // A second, as it is by default, is little where three pages share two cores.
          expect: { poll: { timeout: 20_000, interval: 100 } },
          // Three files at a time on two cores: a page waits more than it computes. After the others, so that its time-outs mean something.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          globalSetup: ["test/support/built-app.ts"],
        },
      },
    ],
  },
});
