// node:diagnostics_channel: named channels, stores that are set for a message's time, and channels in fives that trace a call.
import { checkFunction, invalidArgType } from "../errors.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";

type Listener = (message: unknown, name: PropertyKey) => void;
type Transform = (message: unknown) => unknown;
interface Store {
  run(value: unknown, fn: () => unknown): unknown;
}

const EVENTS = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
type EventName = (typeof EVENTS)[number];

export function createDiagnosticsChannel(runtime: Runtime): Dict {
  const channels = new Map<PropertyKey, Channel>();
  /** What a listener or a transform throws is nobody's who publishes: it comes up on its own. */
  const later = (error: unknown): void => runtime.process.nextTick(() => runtime.fatal(error, "uncaughtException"));

  class Channel {
    readonly name: PropertyKey;
    #listeners: readonly Listener[] = [];
    readonly #stores = new Map<Store, Transform | undefined>();

    constructor(name: PropertyKey) {
      this.name = name;
      channels.set(name, this);
    }

    get hasSubscribers(): boolean {
      return this.#listeners.length + this.#stores.size > 0;
    }

    subscribe(listener: Listener): void {
      checkFunction(listener, "subscription");
      this.#listeners = [...this.#listeners, listener];
    }

    unsubscribe(listener: Listener): boolean {
      const at = this.#listeners.indexOf(listener);
      if (at >= 0) this.#listeners = this.#listeners.toSpliced(at, 1);
      return at >= 0;
    }

    bindStore(store: Store, transform?: Transform): void {
      this.#stores.set(store, transform);
    }

    unbindStore(store: Store): boolean {
      return this.#stores.delete(store);
    }

    publish(message: unknown): void {
      for (const listener of this.#listeners) {
        try {
          listener(message, this.name);
        } catch (error) {
          later(error);
        }
      }
    }

    runStores(message: unknown, fn: AnyFunction, self?: unknown, ...args: unknown[]): unknown {
      let run = (): unknown => {
        this.publish(message);
        return Reflect.apply(fn, self, args);
      };
      for (const [store, transform] of this.#stores) {
        const inner = run;
        run = () => {
          let value = message;
          try {
            if (transform) value = transform(message);
          } catch (error) {
            later(error);
            return inner();
          }
          return store.run(value, inner);
        };
      }
      return run();
    }
  }

  const channel = (name: unknown): Channel => {
    if (typeof name !== "string" && typeof name !== "symbol") throw invalidArgType("channel", ["string", "symbol"], name);
    return channels.get(name) ?? new Channel(name);
  };

  class TracingChannel {
    declare readonly start: Channel;
    declare readonly end: Channel;
    declare readonly asyncStart: Channel;
    declare readonly asyncEnd: Channel;
    declare readonly error: Channel;

    constructor(given: unknown) {
      for (const event of EVENTS) Object.defineProperty(this, event, { value: channelOf(given, event), enumerable: false });
    }

    get hasSubscribers(): boolean {
      return EVENTS.some((event) => this[event].hasSubscribers);
    }

    subscribe(listeners: Partial<Record<EventName, Listener>>): void {
      for (const event of EVENTS) if (listeners[event]) this[event].subscribe(listeners[event]);
    }

    unsubscribe(listeners: Partial<Record<EventName, Listener>>): boolean {
      return EVENTS.filter((event) => listeners[event]).map((event) => this[event].unsubscribe(listeners[event] as Listener)).every(Boolean);
    }

    traceSync(fn: AnyFunction, context: Dict = {}, self?: unknown, ...args: unknown[]): unknown {
      if (!this.hasSubscribers) return Reflect.apply(fn, self, args);
      return this.#begin(context, () => {
        const result = Reflect.apply(fn, self, args) as unknown;
        context["result"] = result;
        return result;
      });
    }

    tracePromise(fn: AnyFunction, context: Dict = {}, self?: unknown, ...args: unknown[]): unknown {
      if (!this.hasSubscribers) return Reflect.apply(fn, self, args);
      const settled = (): void => {
        this.asyncStart.publish(context);
        this.asyncEnd.publish(context);
      };
      return this.#begin(context, () => Promise.resolve(Reflect.apply(fn, self, args)).then(
        (result: unknown) => {
          context["result"] = result;
          settled();
          return result;
        },
        (error: unknown) => {
          this.#failed(context, error);
          settled();
          throw error;
        },
      ));
    }

    /** The callback is the argument at `position`, counted from the end when negative. */
    traceCallback(fn: AnyFunction, position = -1, context: Dict = {}, self?: unknown, ...args: unknown[]): unknown {
      if (!this.hasSubscribers) return Reflect.apply(fn, self, args);
      const callback = args.at(position);
      checkFunction(callback, "callback");
      const { asyncStart, asyncEnd } = this;
      const failed = (error: unknown): void => this.#failed(context, error);
      args.splice(position, 1, function (this: unknown, ...given: unknown[]): void {
        if (given[0]) failed(given[0]);
        else context["result"] = given[1];
        asyncStart.runStores(context, () => {
          try {
            return Reflect.apply(callback as AnyFunction, this, given) as unknown;
          } finally {
            asyncEnd.publish(context);
          }
        });
      });
      return this.#begin(context, () => Reflect.apply(fn, self, args));
    }

    #failed(context: Dict, error: unknown): void {
      context["error"] = error;
      this.error.publish(context);
    }

    #begin(context: Dict, run: () => unknown): unknown {
      return this.start.runStores(context, () => {
        try {
          return run();
        } catch (error) {
          this.#failed(context, error);
          throw error;
        } finally {
          this.end.publish(context);
        }
      });
    }
  }

  function channelOf(given: unknown, event: EventName): Channel {
    if (typeof given === "string") return channel(`tracing:${given}:${event}`);
    if (typeof given !== "object" || given === null) throw invalidArgType("nameOrChannels", ["string", "object", "TracingChannel"], given);
    const own = (given as Dict)[event];
    if (!(own instanceof Channel)) throw invalidArgType(`nameOrChannels.${event}`, "Channel", own);
    return own;
  }

  return {
    Channel, channel, tracingChannel: (given: unknown) => new TracingChannel(given),
    hasSubscribers: (name: PropertyKey) => channels.get(name)?.hasSubscribers ?? false,
    subscribe: (name: unknown, listener: Listener) => channel(name).subscribe(listener),
    unsubscribe: (name: unknown, listener: Listener) => channel(name).unsubscribe(listener),
  };
}
