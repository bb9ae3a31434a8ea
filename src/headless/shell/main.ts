// The entry of a shell's Worker.
import { ProcessLink, type WorkerPort } from "../process-link.ts";
import { Shell } from "./shell.ts";

let shell: Shell | undefined;

const link = new ProcessLink(self as unknown as WorkerPort, (message) => {
  if (message.type !== "start") return shell?.receive(message);
  shell = new Shell(link, message);
  shell.run().then(
    async (code) => {
      const left = shell?.leave();
      if (left) link.exit(code, left.holds);
      await left?.jobsEnd;
      link.exit(code);
    },
    (error: unknown) => {
      link.write(2, new TextEncoder().encode(`sh: ${error instanceof Error ? error.message : String(error)}\n`));
      link.exit(2);
    },
  );
});
