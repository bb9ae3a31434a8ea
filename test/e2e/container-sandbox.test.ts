// The container through the real client in a real browser keeps the promises of a Sandbox.
import { PageSandbox } from "../support/page-sandbox.ts";
import { describeSandbox } from "../support/sandbox-contract.ts";

describeSandbox("the container in the built page", () => PageSandbox.open());
