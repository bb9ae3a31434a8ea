// How the engine's web objects print in Node: a browser's have only getters, and would print as {}.
import { inspect } from "node-inspect-extracted";
import type { Dict } from "../runtime.ts";

export const inspectCustom = Symbol.for("nodejs.util.inspect.custom");
export type InspectOptions = Dict & { depth: number | null; breakLength?: number; stylize(text: string, style: string): string };

/** What `inspect` prints for instances; `this` is the instance. */
export function show(prototype: object, text: (this: never, depth: number, options: InspectOptions) => unknown): void {
  const { [inspectCustom]: value } = { [inspectCustom](this: never, depth: number, options: InspectOptions) {
    return text.call(this, depth, options);
  } };
  Object.defineProperty(prototype, inspectCustom, { value, configurable: true, writable: true, enumerable: false });
}

/** The properties that are shown, by class. */
const SHOWN: Readonly<Record<string, string>> = {
  Blob: "size type", File: "size type name lastModified", AbortController: "signal", AbortSignal: "aborted", Event: "type defaultPrevented cancelable timeStamp",
  ReadableStream: "locked", WritableStream: "locked", TransformStream: "readable writable", CompressionStream: "readable writable", DecompressionStream: "readable writable",
  Response: "status statusText headers body bodyUsed ok redirected type url",
  Request: "method url headers destination referrer referrerPolicy mode credentials cache redirect integrity keepalive isReloadNavigation isHistoryNavigation signal",
};
/** Shown whole at any depth. */
const WHOLE = new Set(["Response", "Request"]);

const nameOf = (value: object): string => value.constructor.name;

export function showWebObjects(): void {
  const classes = globalThis as unknown as Readonly<Record<string, { readonly prototype: object } | undefined>>;
  for (const [name, properties] of Object.entries(SHOWN)) {
    const prototype = classes[name]?.prototype;
    if (prototype) show(prototype, function (this: Dict, depth, options) {
      const whole = WHOLE.has(name);
      if (!whole && depth < 0) return options.stylize(`[${nameOf(this)}]`, "special");
      const fields = Object.fromEntries(properties.split(" ").filter((each) => each in this).map((each) => [each, this[each]]));
      return `${nameOf(this)} ${inspect(fields, (whole || options.depth === null ? options : { ...options, depth: options.depth - 1 }) as never)}`;
    });
  }
  show(Headers.prototype, function (this: Headers, _depth, options) {
    const all: Record<string, string> = {};
    for (const [name, value] of this as unknown as Iterable<[string, string]>) all[name] = name in all ? `${all[name]}, ${value}` : value;
    return `${nameOf(this)} ${inspect(all, options as never)}`;
  });
  show(FormData.prototype, function (this: FormData, _depth, options) {
    const all: Record<string, unknown> = {};
    for (const name of (this as unknown as { keys(): Iterable<string> }).keys()) {
      const values = this.getAll(name);
      all[name] = values.length === 1 ? values[0] : values;
    }
    return `${nameOf(this)} ${inspect(all, options as never)}`;
  });
  // Of the engine's own kinds of targets each prints in its own way.
  show(EventTarget.prototype, function (this: EventTarget, depth, options) {
    if ((this as unknown as Dict)[Symbol.toStringTag as unknown as string] !== "EventTarget") return this;
    return depth < 0 ? nameOf(this) : `${nameOf(this)} ${inspect({}, options as never)}`;
  });
  // Node has it print as the plain object.
  show(TextEncoder.prototype, function (this: TextEncoder, depth, options) {
    return depth < 0 ? options.stylize("[TextEncoder]", "special") : inspect({ encoding: this.encoding }, options as never);
  });
}
