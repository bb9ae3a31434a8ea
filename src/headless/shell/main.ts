// The entry of a shell's Worker.
import { ProcessLink, type WorkerPort } from "../process-link.ts";
import type { ToProcess } from "../protocol.ts";
import { Children } from "./children.ts";
import { Shell } from "./shell.ts";

let shell: Shell | undefined;

const link = new ProcessLink(self as unknown as WorkerPort, receive);
const children = new Children(link);

function receive(message: ToProcess): void {
  switch (message.type) {
    case "start":
      shell = new Shell(link, children, message);
      if (!message.stdin) children.input(null);
      shell.run().then(
        (code) => link.exit(code),
        (error: unknown) => {
          link.write(2, new TextEncoder().encode(`sh: ${error instanceof Error ? error.message : String(error)}\n`));
          link.exit(2);
        },
      );
      return;
    case "file":
      return shell?.followFile(message.op);
    case "stdin":
      return children.input(message.data);
    default:
      children.receive(message);
  }
}
