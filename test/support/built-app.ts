// Once before the e2e tests: the app is built, so that they click what users get.
import { buildIfNeeded } from "../../src/cli/build.ts";

export async function setup(): Promise<void> {
  await buildIfNeeded();
}
