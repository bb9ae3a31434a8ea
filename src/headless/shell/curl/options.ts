// curl's command line (curl(1)): what of it has a meaning between programs of one container. What only concerns certificates,
// proxies, versions of HTTP, the progress meter or the time it takes to connect is taken and changes nothing.
import { CurlError } from "./error.ts";

/** A piece of a body before its file is read. */
export interface DataPart {
  readonly kind: "data" | "binary" | "raw" | "urlencode" | "json";
  readonly text: string;
}

export interface CurlOptions {
  urls: string[];
  method: string | undefined;
  headers: string[];
  data: DataPart[];
  form: { readonly text: string; /** `@` and `<` mean nothing in it. */ readonly literal: boolean }[];
  upload: string | undefined;
  /** One for each URL, in order; null for the URL's own name (-O). */
  outputs: (string | null)[];
  user: string | undefined;
  cookies: string[];
  jar: string | undefined;
  dumpHeaders: string | undefined;
  writeOut: string | undefined;
  get: boolean;
  head: boolean;
  include: boolean;
  silent: boolean;
  showError: boolean;
  fail: false | "body" | "quiet";
  follow: boolean;
  verbose: boolean;
  createDirs: boolean;
  maxRedirects: number;
  maxTimeMs: number;
  retries: number;
  retryDelayMs: number | undefined;
  retryRefused: boolean;
  retryAll: boolean;
}

/** Options with a value: by name, and by letter. */
const VALUED = {
  request: "X", header: "H", data: "d", "data-ascii": "", "data-raw": "", "data-binary": "", "data-urlencode": "", json: "", form: "F", "form-string": "", "upload-file": "T", output: "o",
  user: "u", "user-agent": "A", referer: "e", cookie: "b", "cookie-jar": "c", "dump-header": "D", "write-out": "w", "max-time": "m", "connect-timeout": "", "max-redirs": "", retry: "",
  "retry-delay": "", "retry-max-time": "", url: "", cacert: "", cert: "E", key: "", resolve: "", noproxy: "", range: "r", "limit-rate": "",
} as const;
const FLAGS = {
  get: "G", head: "I", include: "i", silent: "s", "show-error": "S", fail: "f", "fail-with-body": "", location: "L", verbose: "v", "remote-name": "O", "create-dirs": "", "retry-connrefused": "",
  "retry-all-errors": "", insecure: "k", globoff: "g", "no-buffer": "N", "progress-bar": "#", "no-progress-meter": "", disable: "q", compressed: "", ipv4: "4", ipv6: "6", "http1.0": "0", "http1.1": "",
  http2: "", "path-as-is": "", help: "h", version: "V",
} as const;
type Valued = keyof typeof VALUED;
type Flag = keyof typeof FLAGS;

const LETTERS = new Map<string, Valued | Flag>([...Object.entries(VALUED), ...Object.entries(FLAGS)].filter(([, letter]) => letter !== "").map(([name, letter]): [string, Valued | Flag] => [letter, name as Valued | Flag]));
const TRY = "try 'curl --help' or 'curl --manual' for more information";

/** Throws CurlError 2, in curl's words. */
export function parseOptions(args: readonly string[]): CurlOptions | "help" | "version" {
  const options: CurlOptions = {
    urls: [], method: undefined, headers: [], data: [], form: [], upload: undefined, outputs: [], user: undefined, cookies: [], jar: undefined, dumpHeaders: undefined, writeOut: undefined,
    get: false, head: false, include: false, silent: false, showError: false, fail: false, follow: false, verbose: false, createDirs: false, maxRedirects: 50, maxTimeMs: 0,
    retries: 0, retryDelayMs: undefined, retryRefused: false, retryAll: false,
  };
  let asked: "help" | "version" | undefined;
  const take = (name: string, shown: string, value: () => string | undefined): void => {
    if (name in VALUED) {
      const given = value();
      if (given === undefined) throw new CurlError(2, `option ${shown}: requires parameter\ncurl: ${TRY}`);
      return setValue(options, name as Valued, given, shown);
    }
    if (!(name in FLAGS)) throw new CurlError(2, `option ${shown}: is unknown\ncurl: ${TRY}`);
    if (name === "help" || name === "version") asked ??= name;
    setFlag(options, name as Flag);
  };
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      options.urls.push(...args.slice(at + 1));
      break;
    }
    if (arg.startsWith("--")) take(arg.slice(2), arg, () => args[++at]);
    else if (!arg.startsWith("-") || arg === "-") options.urls.push(arg);
    else {
      for (let letter = 1; letter < arg.length; letter++) {
        const rest = arg.slice(letter + 1);
        take(LETTERS.get(arg[letter] ?? "") ?? "", `-${arg[letter]}`, () => {
          letter = arg.length;
          return rest === "" ? args[++at] : rest;
        });
      }
    }
  }
  if (asked) return asked;
  if (options.urls.length === 0) throw new CurlError(2, args.length === 0 ? TRY : `no URL specified!\ncurl: ${TRY}`);
  return options;
}

function setValue(options: CurlOptions, name: Valued, value: string, shown: string): void {
  const number = (): number => {
    const parsed = Number(value);
    if (value === "" || !(parsed >= 0)) throw new CurlError(2, `option ${shown}: expected a proper numerical parameter\ncurl: ${TRY}`);
    return parsed;
  };
  switch (name) {
    case "request": options.method = value; return;
    case "header": options.headers.push(value); return;
    case "data": case "data-ascii": options.data.push({ kind: "data", text: value }); return;
    case "data-raw": options.data.push({ kind: "raw", text: value }); return;
    case "data-binary": options.data.push({ kind: "binary", text: value }); return;
    case "data-urlencode": options.data.push({ kind: "urlencode", text: value }); return;
    case "json": options.data.push({ kind: "json", text: value }); return;
    case "form": options.form.push({ text: value, literal: false }); return;
    case "form-string": options.form.push({ text: value, literal: true }); return;
    case "upload-file": options.upload = value; return;
    case "output": options.outputs.push(value); return;
    case "user": options.user = value; return;
    case "user-agent": options.headers.push(`User-Agent: ${value}`); return;
    case "referer": options.headers.push(`Referer: ${value}`); return;
    case "range": options.headers.push(`Range: bytes=${value}`); return;
    case "cookie": options.cookies.push(value); return;
    case "cookie-jar": options.jar = value; return;
    case "dump-header": options.dumpHeaders = value; return;
    case "write-out": options.writeOut = value; return;
    case "max-time": options.maxTimeMs = number() * 1000; return;
    case "max-redirs": options.maxRedirects = value === "-1" ? Number.POSITIVE_INFINITY : number(); return;
    case "retry": options.retries = number(); return;
    case "retry-delay": options.retryDelayMs = number() * 1000; return;
    case "url": options.urls.push(value); return;
    default:
  }
}

function setFlag(options: CurlOptions, name: Flag): void {
  switch (name) {
    case "get": options.get = true; return;
    case "head": options.head = true; return;
    case "include": options.include = true; return;
    case "silent": options.silent = true; return;
    case "show-error": options.showError = true; return;
    case "fail": options.fail = "quiet"; return;
    case "fail-with-body": options.fail = "body"; return;
    case "location": options.follow = true; return;
    case "verbose": options.verbose = true; return;
    case "remote-name": options.outputs.push(null); return;
    case "create-dirs": options.createDirs = true; return;
    case "retry-connrefused": options.retryRefused = true; return;
    case "retry-all-errors": options.retryAll = true; return;
    default:
  }
}
