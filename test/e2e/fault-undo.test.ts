// Fault 22: in the real container, a session of random writes, shell commands and restores; then every state that was
// recorded is restored, in any order, and undone and redone to the end.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Checkpoints, treeHash } from "../../src/project/checkpoints.ts";
import { NO_STEPS, pushStep, redoStep, type UndoStack, undoStep } from "../../src/project/undo-stack.ts";
import { seeded } from "../support/kernel-random.ts";
import { PageSandbox } from "../support/page-sandbox.ts";
import { treeOf } from "../support/trees.ts";

const STEPS = 200;
let opened: Awaited<ReturnType<typeof PageSandbox.open>>;

beforeAll(async () => {
  opened = await PageSandbox.open();
});
afterAll(() => opened?.close());

/** What a step does to the files. Commands make, move and remove files and folders that no tool knows of. */
function commandOf(random: () => number, step: number): string {
  const name = (): string => `made/${Math.floor(random() * 6)}`;
  const commands = [
    `mkdir -p ${name()} && echo ${step} > made/out-${step % 7}.txt`,
    `mkdir -p made && echo ${random()} >> made/log.txt`,
    `rm -rf ${name()} made/out-${step % 7}.txt`,
    `mkdir -p made && cp src/0.js made/copy-${step % 5}.js`,
    `mv made/log.txt made/old.txt`,
    `node -e "require('fs').writeFileSync('made-${step % 4}.bin', Buffer.from([0, ${step % 256}, 255]))"`,
  ];
  return commands[Math.floor(random() * commands.length)]!;
}

describe("going back", () => {
  it("fault 22: restores every state of a random session, files that commands made included; undo of undo returns", { timeout: 600_000 }, async () => {
    const seed = Date.now() % 1_000_000;
    const random = seeded(seed).uniform;
    const { sandbox } = opened;
    await sandbox.restore(treeOf({ "package.json": "{}", "src/0.js": "0\n" }));
    const points = new Checkpoints();
    let stack: UndoStack = NO_STEPS;
    let last = await points.record(await sandbox.snapshot(), "Start");
    const hashes = new Map([[last.id, last.hash]]);
    let [commands, restores] = [0, 0];
    for (let step = 0; step < STEPS; step++) {
      const roll = random();
      if (roll < 0.1) {
        const target = [...hashes.keys()][Math.floor(random() * hashes.size)]!;
        await points.restore(target, sandbox);
        restores++;
      } else if (roll < 0.5) {
        await sandbox.run(commandOf(random, step));
        commands++;
      } else if (roll < 0.6) await sandbox.remove(`src/${Math.floor(random() * 10)}.js`);
      else await sandbox.writeFile(`src/${Math.floor(random() * 10)}.js`, new TextEncoder().encode(`step ${step} ${random()}\n`));
      const entry = await points.record(await sandbox.snapshot(), `Step ${step}`);
      if (entry.hash !== last.hash) stack = pushStep(stack, { label: `Step ${step}`, before: last.id, after: entry.id });
      hashes.set(entry.id, entry.hash);
      last = entry;
    }
    expect(commands, `seed ${seed}`).toBeGreaterThan(50);
    expect(restores, `seed ${seed}`).toBeGreaterThan(5);

    const states = [...hashes].sort(() => random() - 0.5);
    expect(states.length).toBeGreaterThan(80);
    for (const [id, hash] of states) {
      await points.restore(id, sandbox);
      expect(await treeHash(await sandbox.snapshot()), `seed ${seed}, checkpoint ${id}`).toBe(hash);
    }

    await points.restore(last.id, sandbox);
    const end = last.hash;
    let undone = 0;
    for (let back = undoStep(stack); back; back = undoStep(stack)) {
      stack = back.stack;
      undone++;
      await points.restore(back.restore, sandbox);
      expect(points.current?.hash, `seed ${seed}, undo ${undone}`).toBe(hashes.get(back.restore));
    }
    expect(await treeHash(await sandbox.snapshot())).toBe(hashes.get("1"));
    for (let forth = redoStep(stack); forth; forth = redoStep(stack)) {
      stack = forth.stack;
      await points.restore(forth.restore, sandbox);
      expect(points.current?.hash, `seed ${seed}`).toBe(hashes.get(forth.restore));
    }
    expect(await treeHash(await sandbox.snapshot())).toBe(end);
  });
});
