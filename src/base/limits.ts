// Every cap of the product, one documented number each. Rooms import from here; nothing else invents a limit.

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  /** Bytes per hashed block of stored weights: large enough to amortise a digest, small enough to refetch alone. */
  blockBytes: 4 * MiB,
  /** Wall time the container may take to answer `boot()` before we say it is unavailable. The client has no time-out. */
  containerBootMs: 15_000,
  /** Wall time of one shell command unless the model asks for another (and the most it may ask for). */
  commandMs: 60_000,
  commandMsMax: 600_000,
  /** Output kept of one command while it runs; past it the process is killed and the reply says so. */
  commandOutputBytes: 8 * MiB,
  /** Characters of a tool result shown to the model: head and tail, the middle elided. */
  toolResultHead: 5_000,
  toolResultTail: 5_000,
  /** Steps (model turns) and wall time of one request before the agent stops and says why. */
  agentSteps: 40,
  agentMs: 30 * 60_000,
  /** Tokens the model may write in one turn; ends degenerate runs. */
  turnTokens: 4096,
  /** Files and bytes of a project that can be opened. */
  projectFiles: 20_000,
  projectBytes: 256 * MiB,
  /** Processes alive at once in one container. */
  processes: 32,
  /** Output of one process in its life, and what of it may wait unread: past either the process is stopped. */
  processOutputBytes: 64 * MiB,
  outputBacklogBytes: 16 * MiB,
  /** Bytes the container's file system may hold. */
  fileSystemBytes: 512 * MiB,
} as const;
