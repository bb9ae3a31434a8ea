// A suite (`describe`): its function runs at once and only collects tests; they run when its turn comes.
import { monotonicMs } from "../../clock.ts";
import { isTestFailure, testFailure } from "./failure.ts";
import { SuiteContext } from "./test-context.ts";
import { noop, once, quietly, race, type RunArguments, type TestInit, TestNode } from "./test-node.ts";

export class TestSuite extends TestNode {
  override readonly reportedType = "suite";
  readonly #building: Promise<void>;

  constructor(init: TestInit) {
    super(init);
    const { options } = init.harness;
    if (options.patterns.length > 0 && !init.skip) {
      this.fn = init.fn ?? this.fn;
      this.skipped = false;
    }
    this.runOnlySubtests = options.testOnly;
    const { context, args } = this.runArguments();
    let result: unknown;
    try {
      result = this.harness.building(this, () => Reflect.apply(this.fn, context, args));
    } catch (error) {
      this.fail(testFailure(error, "testCodeFailure"));
      this.built = true;
    }
    this.#building = Promise.resolve(result).then(
      () => undefined,
      (error: unknown) => this.fail(testFailure(error, "testCodeFailure")),
    ).finally(() => {
      this.built = true;
    });
    this.fn = noop;
  }

  override runArguments(): RunArguments {
    const context = new SuiteContext(this);
    return { context, args: [context] };
  }

  override async run(): Promise<void> {
    const { parent } = this;
    const args = this.runArguments();
    const after = once(() => this.runHooks("after", args));
    try {
      if (parent) parent.activeSubtests++;
      await this.#building;
      this.startMs = monotonicMs();
      if (this.abortedEarly()) {
        this.subtests.length = 0;
        this.postRun();
        return;
      }
      if (parent && parent.hooks.before.length > 0) await parent.runHooks("before", parent.runArguments());
      await this.runHooks("before", args);
      const { stop, clear } = this.harness.stopAfter(this.timeoutMs, this.signal);
      try {
        const subtests = this.skipped || this.error !== undefined ? [] : this.subtests;
        await race([Promise.all(subtests.map((subtest) => subtest.start())), stop]);
      } finally {
        clear();
      }
      await after();
      this.pass();
    } catch (error) {
      await quietly(after);
      this.fail(isTestFailure(error) ? error : testFailure(error, "testCodeFailure"));
    }
    this.postRun();
  }
}
