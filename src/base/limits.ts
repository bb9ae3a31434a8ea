// Every cap of the product, one documented number each. Rooms import from here; nothing else invents a limit.

const KiB = 1024;
const MiB = 1024 * KiB;

/** Those of the container's own realms, which need not carry the others. */
export const CONTAINER_LIMITS = {
  /** Processes alive at once in one container. */
  processes: 64,
  /** Subshells, parts of pipes and jobs of one shell at once: each costs a copy of its variables. */
  subshells: 512,
  /** Characters of the arguments and variables of one process together: what Linux allows. */
  argumentBytes: 2 * MiB,
  /** Servers and connections of the container at once. */
  listeners: 256,
  connections: 2048,
  /** Bytes that one synchronous child may hand back: its output and the files it changed. */
  syncAnswerBytes: 256 * MiB,
  /** Output of one process in its life, and what of it may wait unread: past either the process is stopped. */
  processOutputBytes: 64 * MiB,
  outputBacklogBytes: 16 * MiB,
  /** Bytes the container's file system may hold. */
  fileSystemBytes: 512 * MiB,
  /** Files, folders and links it may hold: each costs some 400 bytes in every process. */
  fileSystemNames: 200_000,
  /** Bytes that one process may hold in buffers and WebAssembly memories. Of its heap a page learns nothing. */
  processBufferBytes: 1024 * MiB,
  /** And with what WebAssembly memories shared between its threads may begin besides, all together: napi-rs' builds begin with 1 GiB each and touch little of it. */
  processSharedStartBytes: 4096 * MiB,
  /** Objects and strings that it may put into one array: as many as the engine puts into a Map. Of small ones they are 0.7 GB of the 4 that a browser's heap may be. */
  arrayObjects: 2 ** 24,
  /** Bytes of the arrays and long strings that it may put into one array, as far as they can be told: at least so many, twice as many of fractions. */
  arrayBytes: 1024 * MiB,
  /** Files that one process may have open. */
  openFiles: 4096,
} as const;

export const LIMITS = {
  ...CONTAINER_LIMITS,
  /** Bytes per hashed block of stored weights: large enough to amortise a digest, small enough to refetch alone. */
  blockBytes: 4 * MiB,
  /** Bytes of experts read ahead, before anybody asks for them, for as long as a model is loaded: seconds of a disk's time. */
  prefetchBytes: 2048 * MiB,
  /** Storage that is kept free for chats and projects while a model is downloaded. */
  reservedBytes: 8 * MiB,
  /** Wall time the container may take to answer `boot()` before we say it is unavailable. The client has no time-out. */
  containerBootMs: 15_000,
  /** Wall time of one shell command unless the model asks for another (and the most it may ask for). */
  commandMs: 60_000,
  commandMsMax: 600_000,
  /** The same of a test run that judges a try, where it is known how long a run takes: so many times that, and at least so long. A wrong edit often loops. */
  judgeTimes: 3,
  judgeLeastMs: 5_000,
  /** Output kept of one command while it runs; past it the process is killed and the reply says so. */
  commandOutputBytes: 8 * MiB,
  /** Characters of a tool result shown to the model: head and tail, the middle elided. */
  toolResultHead: 5_000,
  toolResultTail: 5_000,
  /** Characters of a result from which a small model is asked for the lines that matter; what it reads of it, and how many it may name. */
  condensedFrom: 3_000,
  condensedCharacters: 6_000,
  condensedLines: 12,
  /** Steps (model turns) and wall time of one request before the agent stops and says why. */
  agentSteps: 40,
  agentMs: 30 * 60_000,
  /** Tokens the model may write in one turn; ends degenerate runs. */
  turnTokens: 4096,
  /** Of a draft that a small model writes for a large one: a longer one is the large one's work. */
  draftTokens: 512,
  /** Files and bytes of a project that can be opened. */
  projectFiles: 20_000,
  projectBytes: 256 * MiB,
  /** Crashes of the container in one visit after which only the user starts it again. */
  containerCrashes: 3,
  /** Lines that a shell's history keeps, and their characters together: the newest. */
  historyLines: 1000,
  historyCharacters: 200_000,
  /** What npm may fetch of one package: its document, its tarball, and the tarball unpacked; and how long an answer may take. */
  packageDocumentBytes: 64 * MiB,
  tarballBytes: 128 * MiB,
  packageBytes: 384 * MiB,
  packageFiles: 50_000,
  registryMs: 60_000,
  /** Requests to a registry at once, and in one npm command. */
  registryRequests: 12,
  registryRequestsPerCommand: 5_000,
  /** Tarballs kept in the browser so that an install works offline; the longest unused go first. */
  tarballCacheBytes: 512 * MiB,
  /** Deaths of the engine's worker in a row, no answer completed between them, after which no model is loaded by itself. */
  engineDeaths: 3,
  /** Snapshots to go back to in a conversation, 75 MiB each for the 80 B model: on the GPU beside its experts, in main memory, and how many. */
  snapshotGpuBytes: 128 * MiB,
  snapshotMemoryBytes: 384 * MiB,
  snapshots: 32,
  /** What is kept of chats so that a reload need not compute them: of one, and of all; and the tokens below which it is not worth it. */
  keptStateBytes: 512 * MiB,
  keptStatesBytes: 1024 * MiB,
  keptStateTokens: 64,
  /** Quiet after an answer before its state is stored. */
  keepStateAfterMs: 1_500,
  /** Losses of the GPU in a row, no answer completed between them, after which the model is not loaded again by itself. */
  gpuLosses: 3,
  /** Time the GPU may take for one answer before that is told, and before the device is given up. Work is cut to 0.2 s pieces; Chrome itself ends a piece after about 10 s. */
  gpuSlowMs: 5_000,
  gpuHungMs: 30_000,
  /** Where the browser gives no GPU after a loss: how often it is asked again, and how long. Chrome gives none for two minutes after a second crash. */
  gpuRetryMs: 2_000,
  gpuBlockedMs: 150_000,
  /** Failures kept for the details panel. */
  engineFaults: 20,
  /** What a host's page may hand to the widget: files, pieces of its own text, and characters of each, of an address, of a name. */
  widgetFiles: 200,
  widgetSources: 8,
  widgetContextCharacters: 20_000,
  widgetUrlCharacters: 2_000,
  widgetWordCharacters: 200,
  /** Wall time the widget's frame may take to say hello, the host's context hook to answer, a frame to end its engine. */
  widgetHelloMs: 20_000,
  widgetContextMs: 3_000,
  widgetReleaseMs: 5_000,
  /** Characters of a project in an address: browsers take 2 MB of it, chat programs and servers much less. */
  handoffCharacters: 512 * KiB,
} as const;
