// `unit` runs under Node; `browser` runs in Chromium with WebGPU on SwiftShader; `e2e` drives the built app.
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { BROWSER_FLAGS, findBrowser } from "./src/cli/browser.ts";
import { ISOLATION_HEADERS } from "./src/cli/policy.ts";

export default defineConfig({
  server: { headers: ISOLATION_HEADERS },
  test: {
    reporters: ["default"],
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"], environment: "node", testTimeout: 20_000 } },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/{kernels,browser,contract,faults}/**/*.test.ts"],
          // Compiling the kernels for SwiftShader takes seconds alone, minutes beside other work.
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
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
          testTimeout: 240_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          globalSetup: ["test/support/built-app.ts"],
        },
      },
    ],
  },
});
