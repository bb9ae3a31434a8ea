// npm start: builds if needed, serves the app, prints the address.
import { numberOption, runCommand } from "./args.ts";
import { buildIfNeeded } from "./build.ts";
import { serveSite } from "./serve.ts";

await runCommand({
  help: `
npm start [-- --port N]

Builds the app if needed and serves it on http://localhost:4173 (localhost only).

  --port N   another port
  --help     this text
`,
  options: { port: { type: "string" } },
  async run(values) {
    const port = numberOption(values, "port", 0) ?? 4173;
    await buildIfNeeded();
    const site = await serveSite({ port });
    process.stdout.write(`Tabwright is at ${site.origin}  (Ctrl+C stops it)\n`);
    await new Promise<void>((resolve) => {
      process.once("SIGINT", resolve);
      process.once("SIGTERM", resolve);
    });
    await site.close();
    return 0;
  },
});
