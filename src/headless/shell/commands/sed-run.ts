// A script of sed's at work: the pattern space, the hold space, and the files it goes through.
// Over 300 lines: its commands share one state, a case each.
import { joined } from "../../../base/bytes.ts";
import { parentPath, resolvePath } from "../../posix-path.ts";
import { open } from "../redirect.ts";
import type { ShellState } from "../state.ts";
import type { OpenFile } from "../streams.ts";
import { type Parsed, UsageError } from "./getopt.ts";
import type { Address, Command, Substitute } from "./sed-script.ts";
import { substituted, unambiguous } from "./sed-text.ts";
import { input } from "./streams.ts";
import { bytesOf, type Line, LineReader } from "./text-input.ts";

/** Ends the script: at once, or after what is in the pattern space has been printed. */
class Quit extends Error {
  readonly code: number;
  readonly print: boolean;

  constructor(code: number, print: boolean) {
    super();
    this.code = code;
    this.print = print;
  }
}

export class Sed {
  readonly #state: ShellState;
  readonly #commands: readonly Command[];
  readonly #options: Parsed;
  readonly #paths: string[];
  readonly #end: string;
  #reader: LineReader | undefined;
  #file: OpenFile | undefined;
  #path = "-";
  #out: Uint8Array[] = [];
  #bytes = 0;
  readonly #files = new Map<string, OpenFile>();
  readonly #others = new Map<string, LineReader | undefined>();
  #last: RegExp | undefined;
  #line = 0;
  #space = "";
  #held = "";
  #raw = false;
  #bare = false;
  #replaced = false;
  /** What goes out after the line: texts of `a`, contents of `r`. */
  #after: (() => Promise<void> | void)[] = [];
  /** The last thing printed had no newline. */
  #owes = false;
  code = 0;

  constructor(state: ShellState, commands: readonly Command[], options: Parsed, paths: readonly string[]) {
    this.#state = state;
    this.#commands = commands;
    this.#options = options;
    this.#paths = [...paths];
    this.#end = options.has("z") ? "\0" : "\n";
  }

  get #inPlace(): boolean {
    return this.#options.has("i");
  }

  get #separate(): boolean {
    return this.#inPlace || this.#options.has("s");
  }

  async run(): Promise<void> {
    try {
      let restart = false;
      while (restart || (await this.#read())) {
        restart = await this.#cycle();
        if (restart) continue;
        await this.#flushAfter();
        if (this.#bytes > 65_536 || this.#reader?.isAhead !== true) await this.#flush();
      }
    } catch (error) {
      if (!(error instanceof Quit)) throw error;
      this.code = error.code || this.code;
      if (error.print) this.#autoprint();
      await this.#flushAfter();
      // What is left of a file that is changed in place stays.
      if (this.#inPlace) for (let line = await this.#reader?.next(); line; line = await this.#reader?.next()) this.#print(line.text, line.bare);
    } finally {
      await this.#closeFile();
      await this.#flush();
      for (const file of this.#files.values()) file.release();
    }
  }

  /** The next line into the pattern space; false at the end of all input. */
  async #read(): Promise<boolean> {
    const line = await this.#nextLine();
    if (!line) return false;
    this.#take(line);
    this.#space = line.text;
    return true;
  }

  #take(line: Line): void {
    this.#line++;
    if (line.raw && !this.#raw) this.#raw = true;
    this.#bare = line.bare;
  }

  async #nextLine(): Promise<Line | undefined> {
    for (;;) {
      const line = await this.#reader?.next();
      if (line) return line;
      if (!(await this.#openNext())) return undefined;
    }
  }

  async #openNext(): Promise<boolean> {
    await this.#closeFile();
    for (let path = this.#paths.shift(); path !== undefined; path = this.#paths.shift()) {
      const shown = path;
      if (this.#inPlace) {
        const node = this.#state.host.vfs.find(resolvePath(path, this.#state.cwd));
        if (node?.kind === "dir") {
          await this.#state.write(2, `sed: couldn't edit ${path}: not a regular file\n`);
          this.code = 4;
          continue;
        }
      }
      const file = await input(this.#state, "sed", path, (why) => (why === "Is a directory" ? `sed: read error on ${shown}: ${why}` : `sed: can't read ${shown}: ${why}`));
      if (!file) {
        if (this.#state.host.vfs.find(resolvePath(path, this.#state.cwd))?.kind === "dir") throw new Quit(4, false);
        this.code = 2;
        continue;
      }
      this.#file = file;
      this.#path = path;
      this.#reader = new LineReader(file.stream, this.#state.signal, this.#end);
      if (this.#separate) this.#line = 0;
      return true;
    }
    return false;
  }

  async #closeFile(): Promise<void> {
    if (!this.#file) return;
    this.#file.release();
    this.#file = undefined;
    this.#reader = undefined;
    if (!this.#inPlace || this.#path === "-") return;
    const { vfs } = this.#state.host;
    const path = resolvePath(this.#path, this.#state.cwd);
    const suffix = this.#options.value("i") ?? "";
    const name = path.slice(path.lastIndexOf("/") + 1);
    const mode = vfs.stat(path).mode & 0o777;
    if (suffix !== "") vfs.writeFile(resolvePath(suffix.includes("*") ? suffix.replaceAll("*", name) : name + suffix, parentPath(path)), vfs.readFile(path), { mode });
    vfs.writeFile(path, joined(this.#out), { mode });
    this.#out = [];
    this.#bytes = 0;
    this.#owes = false;
  }

  /** Whether no line comes after this one: of its file, or of all. */
  async #isLast(): Promise<boolean> {
    if (this.#reader && !(await this.#reader.isEmpty())) return false;
    if (this.#separate) return true;
    while (this.#paths.length > 0) {
      const [path = ""] = this.#paths;
      const node = this.#state.host.vfs.find(resolvePath(path, this.#state.cwd));
      if (path === "-" || !node || node.kind === "dir" || node.kind !== "file" || node.data.length > 0) return path !== "-" && (!node || node.kind === "dir") && this.#paths.length === 1;
      this.#paths.shift();
    }
    return true;
  }

  #print(text: string, bare = this.#bare): void {
    this.#write((this.#owes ? this.#end : "") + text + (bare ? "" : this.#end));
    this.#owes = bare;
  }

  #write(text: string): void {
    const bytes = bytesOf(text, this.#raw);
    this.#out.push(bytes);
    this.#bytes += bytes.length;
  }

  async #flush(): Promise<void> {
    if (this.#inPlace && this.#file) return;
    const out = joined(this.#out.splice(0));
    this.#bytes = 0;
    if (out.length > 0) await this.#state.write(1, out);
  }

  #autoprint(): void {
    if (!this.#options.has("n")) this.#print(this.#space);
  }

  async #flushAfter(): Promise<void> {
    for (const print of this.#after.splice(0)) await print();
  }

  /** Whether the next begins with what is in the pattern space. */
  async #cycle(): Promise<boolean> {
    this.#replaced = false;
    for (let at = 0; at < this.#commands.length; at++) {
      const command = this.#commands[at];
      if (!command) break;
      if ((await this.#selects(command)) === command.negated) {
        if (command.name === "{") at = command.target - 1;
        continue;
      }
      const next = await this.#execute(command);
      if (next === "end") return false;
      if (next === "again") return true;
      if (next === "jump") at = command.target - 1;
    }
    this.#autoprint();
    return false;
  }

  async #selects(command: Command): Promise<boolean> {
    const { from, to } = command;
    if (!from) return true;
    if (!to) return this.#isAt(from);
    if (!command.open) {
      const fromStart = from.kind === "line" && from.line === 0;
      if (fromStart ? this.#line !== 1 : !(await this.#isAt(from))) return false;
      command.open = true;
      command.until = to.kind === "more" ? this.#line + to.lines : to.kind === "multiple" ? (to.of > 0 ? Math.ceil(this.#line / to.of) * to.of : this.#line) : to.kind === "line" ? to.line : Number.POSITIVE_INFINITY;
      if (fromStart && to.kind === "regexp") command.open = !this.#test(to.regexp);
      else if (to.kind !== "regexp" && this.#line >= command.until) command.open = false;
      return true;
    }
    if (to.kind === "regexp") command.open = !this.#test(to.regexp);
    else if (to.kind === "last") command.open = !(await this.#isLast());
    else {
      // A number that the file has passed already ends the range before this line.
      if (this.#line > command.until) {
        command.open = false;
        return this.#isAt(from);
      }
      command.open = this.#line < command.until;
    }
    return true;
  }

  async #isAt(address: Address): Promise<boolean> {
    switch (address.kind) {
      case "line":
        return this.#line === address.line;
      case "step":
        return address.step > 0 ? this.#line >= address.first && (this.#line - address.first) % address.step === 0 : this.#line === address.first;
      case "last":
        return this.#isLast();
      case "regexp":
        return this.#test(address.regexp);
      default:
        return address satisfies never;
    }
  }

  #regexp(given: RegExp | undefined): RegExp {
    const regexp = given ?? this.#last;
    if (!regexp) throw new UsageError("-e expression #1, char 0: no previous regular expression");
    this.#last = regexp;
    return regexp;
  }

  #test(given: RegExp | undefined): boolean {
    const regexp = this.#regexp(given);
    regexp.lastIndex = 0;
    return regexp.test(this.#space);
  }

  async #execute(command: Command): Promise<"end" | "again" | "jump" | undefined> {
    switch (command.name) {
      case "{":
        return undefined;
      case "=":
        this.#write(`${this.#line}\n`);
        return undefined;
      case "a":
        this.#after.push(() => this.#text(command.text));
        return undefined;
      case "i":
        this.#text(command.text);
        return undefined;
      case "c":
        if (!command.to || command.negated || !command.open) this.#text(command.text);
        return "end";
      case "b":
        return "jump";
      case "t":
      case "T": {
        const jump = this.#replaced === (command.name === "t");
        this.#replaced = false;
        return jump ? "jump" : undefined;
      }
      case "d":
        return "end";
      case "D":
        if (!this.#space.includes("\n")) return "end";
        this.#space = this.#space.slice(this.#space.indexOf("\n") + 1);
        await this.#flushAfter();
        return "again";
      case "F":
        this.#write(`${this.#path}\n`);
        return undefined;
      case "g":
        this.#space = this.#held;
        return undefined;
      case "G":
        this.#space += `\n${this.#held}`;
        return undefined;
      case "h":
        this.#held = this.#space;
        return undefined;
      case "H":
        this.#held += `\n${this.#space}`;
        return undefined;
      case "x":
        [this.#space, this.#held] = [this.#held, this.#space];
        return undefined;
      case "z":
        this.#space = "";
        return undefined;
      case "l":
        this.#write(unambiguous(this.#space, this.#raw, command.number ?? Number(this.#options.value("l") ?? 70)));
        return undefined;
      case "n":
      case "N":
        return this.#another(command.name === "N");
      case "p":
        this.#print(this.#space);
        return undefined;
      case "P":
        this.#print(this.#space.split("\n", 1)[0] ?? "", false);
        return undefined;
      case "q":
      case "Q":
        throw new Quit(command.number ?? 0, command.name === "q");
      case "r":
        this.#after.push(() => this.#copy(command.text));
        return undefined;
      case "R":
        this.#after.push(() => this.#copyLine(command.text));
        return undefined;
      case "w":
      case "W":
        await this.#save(command.text, command.name === "w" ? this.#space : (this.#space.split("\n", 1)[0] ?? ""));
        return undefined;
      case "y":
        this.#space = [...this.#space].map((letter) => command.map?.get(letter) ?? letter).join("");
        return undefined;
      default:
        if (command.substitute) await this.#substitute(command.substitute);
        return undefined;
    }
  }

  async #another(append: boolean): Promise<"end" | undefined> {
    if (await this.#isLast()) {
      if (!this.#separate || this.#paths.length === 0) throw new Quit(0, true);
      this.#autoprint();
      return "end";
    }
    if (!append) this.#autoprint();
    await this.#flushAfter();
    const line = await this.#nextLine();
    if (!line) throw new Quit(0, append);
    this.#take(line);
    this.#space = append ? `${this.#space}\n${line.text}` : line.text;
    return undefined;
  }

  #text(text: string): void {
    this.#write((this.#owes ? this.#end : "") + text);
    this.#owes = false;
  }

  async #copy(path: string): Promise<void> {
    const bytes = path === "/dev/stdin" ? undefined : this.#contents(path);
    if (!bytes || bytes.length === 0) return;
    if (this.#owes) this.#write(this.#end);
    this.#owes = false;
    this.#out.push(bytes);
  }

  #contents(path: string): Uint8Array | undefined {
    const node = this.#state.host.vfs.find(resolvePath(path, this.#state.cwd));
    return node?.kind === "file" ? node.data : undefined;
  }

  async #copyLine(path: string): Promise<void> {
    if (!this.#others.has(path)) {
      const file = this.#contents(path) ? open(this.#state, path, "<") : undefined;
      this.#others.set(path, file ? new LineReader(file.stream, this.#state.signal) : undefined);
    }
    const line = await this.#others.get(path)?.next();
    if (line) this.#text(`${line.text}\n`);
  }

  async #save(path: string, text: string): Promise<void> {
    if (path === "/dev/stdout") return this.#print(text, false);
    if (path === "/dev/stderr") return this.#state.write(2, `${text}\n`);
    await this.file(path).stream.write(bytesOf(`${text}\n`, this.#raw), this.#state.signal);
  }

  /** One that is written to: it is emptied before the first line. */
  file(path: string): OpenFile {
    const file = this.#files.get(path) ?? open(this.#state, path, ">");
    this.#files.set(path, file);
    return file;
  }

  async #substitute({ regexp: given, print, file, ...how }: Substitute): Promise<void> {
    const changed = substituted(this.#space, this.#regexp(given), how);
    if (changed === undefined) return;
    this.#space = changed;
    this.#replaced = true;
    if (print) this.#print(this.#space);
    if (file !== undefined) await this.#save(file, this.#space);
  }
}
