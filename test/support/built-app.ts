// Once before the e2e tests: the app is built, so that they click what users get, and the documentation that the widget's tests
// put it into. Here, because three files of tests run at a time.
import { buildIfNeeded } from "../../src/cli/build.ts";
import { buildDocs } from "./docs-site.ts";

export async function setup(): Promise<void> {
  await buildIfNeeded();
  await buildDocs();
}
