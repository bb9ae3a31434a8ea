// The JUnit reporter, in Node 20's layout: a tree of elements that is written when the run has ended.
import { isRevived, type TestEvent } from "./events.ts";
import type { Reporter } from "./reporter.ts";
import { inspectReported } from "./spec.ts";

interface Element {
  tag: string;
  readonly name: string;
  readonly nesting: number;
  readonly attributes: Map<string, string | number>;
  readonly children: (Element | Comment | string)[];
  readonly parent: Element | undefined;
}

interface Comment {
  readonly comment: string;
  readonly nesting: number;
}

/** Without the brackets that stand for a trace without frames: only the runner's own were left out. */
function shown(error: unknown): string {
  return inspectReported(error, isRevived(error)).replace(/^\[(Error \[ERR_TEST_FAILURE\]: .*)\](?=$| \{)/m, "$1");
}

const isElement = (node: Element | Comment | string): node is Element => typeof node === "object" && "tag" in node;
const content = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const attribute = (text: string): string => content(text.replaceAll("\n", "").replaceAll('"', "&quot;"));

export class JunitReporter implements Reporter {
  readonly head = '<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n';
  readonly #host: string;
  readonly #roots: (Element | Comment)[] = [];
  #open: Element | undefined;

  constructor(host: string) {
    this.#host = host;
  }

  report(event: TestEvent): string {
    const { type, data } = event;
    if (type === "test:start") this.#start(data.name ?? "", data.nesting);
    else if (type === "test:diagnostic") (this.#open?.children ?? this.#roots).push({ comment: data.message ?? "", nesting: data.nesting });
    else if (type === "test:pass" || type === "test:fail") this.#result(event);
    return "";
  }

  end(): string {
    return `${this.#roots.map(write).join("")}</testsuites>\n`;
  }

  #start(name: string, nesting: number): Element {
    const element: Element = { tag: "", name, nesting, attributes: new Map([["name", name]]), children: [], parent: this.#open };
    (this.#open?.children ?? this.#roots).push(element);
    this.#open = element;
    return element;
  }

  #result({ type, data }: TestEvent): void {
    let test = this.#open ?? this.#start("root", 0);
    if (test.name !== data.name || test.nesting !== data.nesting) test = this.#start(data.name ?? "", data.nesting);
    this.#open = test.parent;
    const put = (name: string, value: string | number): void => void test.attributes.set(name, value);
    put("time", ((data.details?.duration_ms ?? 0) / 1000).toFixed(6));
    const children = test.children.filter(isElement);
    if (children.length > 0) {
      test.tag = "testsuite";
      put("disabled", 0);
      put("errors", 0);
      put("tests", children.length);
      put("failures", children.filter((child) => has(child, "failure", "failures")).length);
      put("skipped", children.filter((child) => has(child, "skipped", "skipped")).length);
      put("hostname", this.#host);
      return;
    }
    test.tag = "testcase";
    put("classname", "test");
    const add = (tag: string, attributes: Record<string, string>, text?: string): void =>
      void test.children.push({ tag, name: tag, nesting: data.nesting + 1, attributes: new Map(Object.entries(attributes)), children: text === undefined ? [] : [text], parent: test });
    if (data.skip) add("skipped", { type: "skipped", message: String(data.skip) });
    if (data.todo) add("skipped", { type: "todo", message: String(data.todo) });
    if (type !== "test:fail") return;
    const error = data.details?.error as { failureType?: string; code?: string; message?: string } | undefined;
    add("failure", { type: String(error?.failureType ?? error?.code), message: error?.message ?? "" }, shown(error));
    put("failure", error?.message ?? "");
  }
}

/** A suite's own count of failures decides, a test's element otherwise. */
function has(node: Element, tag: string, count: string): boolean {
  return node.children.some((child) => isElement(child) && child.tag === tag) || Boolean(node.attributes.get(count));
}

function write(node: Element | Comment | string): string {
  if (typeof node === "string") return `${content(node)}\n`;
  const indent = "\t".repeat(node.nesting + 1);
  if (!isElement(node)) return `${indent}<!-- ${node.comment.replaceAll("--", "&#45;&#45;")} -->\n`;
  const attributes = [...node.attributes].map(([name, value]) => `${name}="${attribute(String(value))}"`).join(" ");
  if (node.children.length === 0) return `${indent}<${node.tag} ${attributes}/>\n`;
  return `${indent}<${node.tag} ${attributes}>\n${node.children.map(write).join("")}${indent}</${node.tag}>\n`;
}
