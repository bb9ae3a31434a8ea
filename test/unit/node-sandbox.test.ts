// The stand-in of the agent's tests keeps the promises of the real container.
import { NodeSandbox } from "../support/node-sandbox.ts";
import { describeSandbox } from "../support/sandbox-contract.ts";

describeSandbox("real Node in a temporary folder", async () => {
  const sandbox = await NodeSandbox.open();
  return { sandbox, close: () => sandbox.close() };
});
