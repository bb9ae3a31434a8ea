// `process.allowedNodeEnvironmentFlags`: the flags that NODE_OPTIONS may hold. Runners ask it which of their arguments are
// Node's. It cannot be changed, and knows a flag however it is written: `--no_warnings`, `no-warnings`, `--title=x`.
import facts from "./facts.json" with { type: "json" };

const FLAGS: readonly string[] = facts.environmentFlags.split(" ");
const BARE: readonly string[] = FLAGS.map((flag) => flag.replace(/^--?/, ""));

class NodeEnvironmentFlagsSet extends Set<string> {
  constructor() {
    super();
    for (const flag of FLAGS) super.add(flag);
    Object.freeze(this);
  }

  override add(): this {
    return this;
  }

  override delete(): boolean {
    return false;
  }

  override clear(): void {}

  override has(flag: unknown): boolean {
    if (typeof flag !== "string") return false;
    const plain = flag.replaceAll("_", "-");
    return plain.startsWith("-") ? FLAGS.includes(plain.replace(/=.*$/, "")) : BARE.includes(plain);
  }
}

export const environmentFlags: ReadonlySet<string> = new NodeEnvironmentFlagsSet();
