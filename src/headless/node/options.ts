// The command line of `node`. Flags that change nothing here are accepted as Node accepts them; unknown ones are refused.
// (Over 300 lines: a list of flags, each with what it sets.)

export interface Options {
  mode: "file" | "eval" | "print" | "test" | "check" | "version" | "help" | "v8-options" | "stdin" | "watch";
  /** Code of -e and -p. */
  code: string;
  hasCode: boolean;
  hasCheck: boolean;
  inputType: "module" | "commonjs" | undefined;
  /** The program and its arguments; with `--test`, the patterns. */
  rest: string[];
  /** -r and --import, in order. */
  preloads: { kind: "require" | "import"; specifier: string }[];
  conditions: string[];
  /** Modules with hooks of the ES module loader. */
  loaders: string[];
  /** What `process.execArgv` shows. */
  execArgv: string[];
  warnings: boolean;
  traceWarnings: boolean;
  /** False: deprecations are not told. */
  deprecations: boolean;
  throwDeprecation: boolean;
  traceDeprecation: boolean;
  /** Those that are only documented are told, too. */
  pendingDeprecation: boolean;
  /** Codes and names of warnings that are not told. */
  readonly disabledWarnings: string[];
  /** A file that gets them instead of stderr. */
  redirectWarnings: string | undefined;
  /** Globals that the line does without. */
  readonly hiddenGlobals: string[];
  /** `process.title`. */
  title: string;
  testReporters: string[];
  testReporterDestinations: string[];
  testNamePatterns: string[];
  testSkipPatterns: string[];
  testOnly: boolean;
  /** 0: as many as the machine has cores for. */
  testConcurrency: number;
  testForceExit: boolean;
  /** A process for each test file, or all in this one (`none`). */
  testIsolation: string;
  testUpdateSnapshots: boolean;
  /** "index/total", unchecked. */
  testShard: string | undefined;
  testTimeoutMs: number;
  /** The program, or the tests, run again when a file of theirs changes. */
  isWatching: boolean;
  /** What is watched instead of the files that are loaded. */
  readonly watchPaths: string[];
  watchPreservesOutput: boolean;
  unhandledRejections: string;
  /** `vm.SourceTextModule` and its kin are there. */
  vmModules: boolean;
  /** Traces are told by the source maps of compiled files. */
  sourceMaps: boolean;
  /** `require` loads ES modules. */
  requireModule: boolean;
  /** Files keep the names of the links that lead to them; the program's own path, too. */
  preserveSymlinks: boolean;
  preserveSymlinksMain: boolean;
  /** Programs may call for the garbage collector. */
  exposeGc: boolean;
  /** Packages' `node-addons` condition counts. */
  addons: boolean;
  /** Of an HTTP message's head. */
  maxHttpHeaderBytes: number;
  /** HTTP is read as leniently as old peers need it. */
  insecureHttpParser: boolean;
  /** Of `--env-file`, in order; a missing one ends the process unless it is optional. */
  readonly envFiles: { readonly path: string; readonly optional: boolean }[];
  /** Set when the line cannot be run: what Node prints, and its exit code 9. */
  error: string | undefined;
}

/** Flags with a value that are read below; any of them may be written `--flag value` or `--flag=value`. */
const WITH_VALUE = new Set([
  "-e", "--eval", "-r", "--require", "--import", "--input-type", "-C", "--conditions", "--test-reporter", "--test-reporter-destination", "--test-name-pattern",
  "--test-skip-pattern", "--test-timeout", "--test-concurrency", "--test-shard", "--test-isolation", "--experimental-test-isolation", "--unhandled-rejections", "--loader", "--experimental-loader", "--max-old-space-size",
  "--stack-trace-limit", "--env-file", "--env-file-if-exists", "--title", "--disable-warning", "--dns-result-order", "--max-http-header-size", "--experimental-default-type", "--watch-path", "--network-family-autoselection-attempt-timeout", "--redirect-warnings",
]);
const WITHOUT_VALUE = new Set([
  "-i", "--interactive", "--watch", "--watch-preserve-output", "-p", "--print", "-pe", "-c", "--check", "-v", "--version", "-h", "--help", "--test", "--test-only", "--test-force-exit", "--test-update-snapshots", "--no-warnings", "--warnings",
  "--trace-warnings", "--trace-uncaught", "--trace-deprecation", "--no-deprecation", "--throw-deprecation", "--pending-deprecation", "--enable-source-maps", "--preserve-symlinks",
  "--preserve-symlinks-main", "--expose-gc", "--harmony", "--abort-on-uncaught-exception", "--trace-exit", "--use-strict", "--insecure-http-parser", "--network-family-autoselection", "--no-network-family-autoselection", "--frozen-intrinsics", "--no-addons", "--zero-fill-buffers",
]);
const OF_THE_ENGINE = ["--harmony", "--max-old-space-size", "--stack-trace-limit", "--use-strict"];

/** The long options that `--help` or `--v8-options` prints: programs search these lists for what they may hand on. */
export function optionList(mode: "help" | "v8-options"): string {
  const nodes = [...WITH_VALUE, ...WITHOUT_VALUE].filter((name) => name.startsWith("--") && !OF_THE_ENGINE.includes(name));
  return `Options:\n${(mode === "help" ? nodes.sort() : ["--expose-gc", ...OF_THE_ENGINE]).map((name) => `  ${name}\n`).join("")}`;
}

/** A program that counts on them would believe itself held back. */
const PERMISSIONS = /^--(experimental-permission|permission|allow-(fs-read|fs-write|child-process|worker|addons|wasi))$/;
const KNOWN_PREFIX = /^--(no-)?(experimental|harmony|inspect|debug|v8|trace|allow|disable|enable|max|stack|es-module)-?/;

const REJECTION_MODES: readonly string[] = ["none", "warn", "warn-with-error-code", "strict", "throw"];

export function parseOptions(argv: readonly string[], nodeOptions = ""): Options {
  const options: Options = {
    mode: "file", code: "", hasCode: false, hasCheck: false, inputType: undefined, rest: [], preloads: [], loaders: [], conditions: [], execArgv: [], warnings: true, traceWarnings: false,
    deprecations: true, throwDeprecation: false, traceDeprecation: false, pendingDeprecation: false, disabledWarnings: [], redirectWarnings: undefined, hiddenGlobals: [], title: "node",
    testReporters: [], testReporterDestinations: [], testNamePatterns: [], testSkipPatterns: [], testOnly: false, testConcurrency: 0, testForceExit: false, testIsolation: "process", testUpdateSnapshots: false, testShard: undefined, testTimeoutMs: Number.POSITIVE_INFINITY, isWatching: false, watchPaths: [], watchPreservesOutput: false,
    unhandledRejections: "throw", vmModules: false, sourceMaps: false, requireModule: true, preserveSymlinks: false, preserveSymlinksMain: false, exposeGc: false, addons: true, maxHttpHeaderBytes: 16 * 1024, insecureHttpParser: false, envFiles: [], error: undefined,
  };
  const fromEnvironment = splitOptions(nodeOptions);
  const line = [...fromEnvironment, ...argv];
  let at = 0;
  for (; at < line.length; at++) {
    const word = line[at] as string;
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    // Node reads underscores as dashes, as V8 does.
    const flag = (equals > 0 ? word.slice(0, equals) : word).replaceAll(/(?<=\w)_/g, "-");
    let value: string | undefined = equals > 0 ? word.slice(equals + 1) : undefined;
    const own = at >= fromEnvironment.length;
    if (own) options.execArgv.push(word);
    if (WITH_VALUE.has(flag) && value === undefined) {
      value = line[++at];
      if (value === undefined || value.startsWith("-")) {
        options.error = `${flag} requires an argument`;
        return options;
      }
      if (own) options.execArgv.push(value);
    } else if (WITH_VALUE.has(flag.replace("--no-", "--")) && flag.startsWith("--no-")) {
      options.error = `${word} is an invalid negation because it is not a boolean option`;
      return options;
    } else if (PERMISSIONS.test(flag)) {
      options.error = `${flag} is not available in the container: a program has all of the project's files, and no network`;
      return options;
    } else if (!WITH_VALUE.has(flag) && !WITHOUT_VALUE.has(flag) && !KNOWN_PREFIX.test(flag)) {
      options.error = `bad option: ${word}`;
      return options;
    }
    // `-p` takes its code from the next word, if that is one.
    if ((flag === "-p" || flag === "--print" || flag === "-pe") && value === undefined && line[at + 1]?.startsWith("-") === false) {
      value = line[++at] as string;
      if (own) options.execArgv.push(value);
    }
    // What begins with a dash is written with one more sign before it.
    apply(options, flag, (value ?? "").replace(/^\\-/, "-"));
  }
  options.rest = line.slice(at);
  if (options.isWatching) checkWatching(options, line.slice(0, at));
  if (options.mode === "file" && (options.rest.length === 0 || options.rest[0] === "-")) {
    options.mode = "stdin";
  }
  if (options.hasCheck && options.hasCode) options.error = "either --check or --eval can be used, not both";
  return options;
}

function checkWatching(options: Options, flags: readonly string[]): void {
  if (options.mode === "test") {
    if (options.watchPaths.length > 0) options.error = "--watch-path cannot be used in combination with --test";
    return;
  }
  const other = options.hasCheck ? "--check" : options.hasCode ? "--eval" : flags.some((flag) => flag === "-i" || flag === "--interactive") ? "--interactive" : undefined;
  if (other !== undefined) options.error = `either --watch or ${other} can be used, not both`;
  else if (options.rest.length === 0) options.error = "--watch requires specifying a file";
  else if (options.mode === "file") options.mode = "watch";
}

/** `NODE_OPTIONS`: words between blanks, with double quotes around those that have blanks in them. */
function splitOptions(text: string): string[] {
  return [...text.matchAll(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/gs)].map(([word]) => word.replace(/"((?:\\.|[^"\\])*)"/gs, (_, inner: string) => inner.replace(/\\(.)/gs, "$1")));
}

/** What flags take away. */
const GLOBALS_OF: Readonly<Record<string, readonly string[]>> = {
  "--no-experimental-fetch": ["fetch", "FormData", "Headers", "Request", "Response"],
  "--no-experimental-global-customevent": ["CustomEvent"],
  "--no-experimental-global-webcrypto": ["crypto", "Crypto", "CryptoKey", "SubtleCrypto"],
};

function apply(options: Options, flag: string, value: string): void {
  options.hiddenGlobals.push(...(GLOBALS_OF[flag] ?? []));
  switch (flag) {
    case "-e":
    case "--eval":
      if (options.mode !== "print") options.mode = "eval";
      options.code = value;
      options.hasCode = true;
      return;
    case "-p":
    case "-pe":
    case "--print":
      options.mode = "print";
      if (value !== "") options.code = value;
      options.hasCode ||= value !== "";
      return;
    case "-r":
    case "--require":
      options.preloads.push({ kind: "require", specifier: value });
      return;
    case "--import":
      options.preloads.push({ kind: "import", specifier: value });
      return;
    case "--loader":
    case "--experimental-loader":
      options.loaders.push(value);
      return;
    case "--input-type":
      if (value === "module" || value === "commonjs") options.inputType = value;
      else options.error = `--input-type must be "module" or "commonjs"`;
      return;
    case "-C":
    case "--conditions":
      options.conditions.push(value);
      return;
    case "-c":
    case "--check":
      options.mode = "check";
      options.hasCheck = true;
      return;
    case "-v":
    case "--version":
      options.mode = "version";
      return;
    case "-h":
    case "--help":
      options.mode = "help";
      return;
    case "--v8-options":
      options.mode = "v8-options";
      return;
    case "--test":
      options.mode = "test";
      return;
    case "--test-only":
      options.testOnly = true;
      return;
    case "--test-reporter":
      options.testReporters.push(value);
      return;
    case "--test-reporter-destination":
      options.testReporterDestinations.push(value);
      return;
    case "--test-name-pattern":
      options.testNamePatterns.push(value);
      return;
    case "--test-skip-pattern":
      options.testSkipPatterns.push(value);
      return;
    case "--test-concurrency":
      options.testConcurrency = Number(value);
      return;
    case "--test-update-snapshots":
      options.testUpdateSnapshots = true;
      return;
    case "--test-force-exit":
      options.testForceExit = true;
      return;
    case "--test-isolation":
    case "--experimental-test-isolation":
      if (value !== "none" && value !== "process") options.error = `invalid value for --test-isolation`;
      options.testIsolation = value;
      return;
    case "--test-shard":
      options.testShard = value;
      return;
    case "--watch":
      options.isWatching = true;
      return;
    case "--watch-path":
      options.isWatching = true;
      options.watchPaths.push(value);
      return;
    case "--watch-preserve-output":
      options.watchPreservesOutput = true;
      return;
    case "--test-timeout":
      options.testTimeoutMs = Number(value) || Number.POSITIVE_INFINITY;
      return;
    case "--max-http-header-size":
      options.maxHttpHeaderBytes = Number(value) || 16 * 1024;
      break;
    case "--expose-gc":
      options.exposeGc = true;
      break;
    case "--insecure-http-parser":
      options.insecureHttpParser = true;
      break;
    case "--unhandled-rejections":
      if (!REJECTION_MODES.includes(value)) options.error = `invalid value for ${flag}`;
      options.unhandledRejections = value;
      return;
    case "--env-file":
    case "--env-file-if-exists":
      options.envFiles.push({ path: value, optional: flag !== "--env-file" });
      return;
    case "--experimental-vm-modules":
    case "--no-experimental-vm-modules":
      options.vmModules = flag === "--experimental-vm-modules";
      return;
    case "--experimental-require-module":
    case "--no-experimental-require-module":
      options.requireModule = flag === "--experimental-require-module";
      return;
    case "--preserve-symlinks":
      options.preserveSymlinks = true;
      return;
    case "--preserve-symlinks-main":
      options.preserveSymlinksMain = true;
      return;
    case "--no-addons":
      options.addons = false;
      return;
    case "--enable-source-maps":
      options.sourceMaps = true;
      return;
    case "--warnings":
    case "--no-warnings":
      options.warnings = flag === "--warnings";
      return;
    case "--trace-warnings":
      options.traceWarnings = true;
      return;
    case "--no-deprecation":
      options.deprecations = false;
      return;
    case "--throw-deprecation":
      options.throwDeprecation = true;
      return;
    case "--trace-deprecation":
      options.traceDeprecation = true;
      return;
    case "--pending-deprecation":
      options.pendingDeprecation = true;
      return;
    case "--disable-warning":
      options.disabledWarnings.push(value);
      return;
    case "--redirect-warnings":
      options.redirectWarnings = value;
      return;
    case "--title":
      options.title = value;
      return;
    default:
  }
}
