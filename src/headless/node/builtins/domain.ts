// node:domain: errors of the callbacks that a function starts go to one emitter. The domain travels with the loop's scope,
// like the stores of AsyncLocalStorage; deprecated since long, and old test runners still stand on it.
import { captureUncaught } from "../uncaught.ts";
import type { AnyFunction, Dict, Emitter, Runtime } from "../runtime.ts";
import { EventEmitter } from "./events.ts";

type Member = Emitter & { domain?: Emitter | null };

export function createDomain(runtime: Runtime): Dict {
  const { loop, process } = runtime;
  const key = {};
  const active = (): Domain | null => (loop.scope.get(key) as Domain | undefined) ?? null;
  const enter = (domain: Domain | null): void => {
    loop.scope = domain ? new Map([...loop.scope, [key, domain]]) : new Map([...loop.scope].filter(([each]) => each !== key));
  };

  class Domain extends (EventEmitter as new () => Emitter) {
    readonly members: Member[] = [];
    readonly #outer: (Domain | null)[] = [];

    enter(): void {
      this.#outer.push(active());
      enter(this);
    }

    exit(): void {
      enter(this.#outer.pop() ?? null);
    }

    add(member: Member): void {
      if (member.domain === this) return;
      (member.domain as Domain | null | undefined)?.remove(member);
      Object.defineProperty(member, "domain", { value: this, writable: true, configurable: true, enumerable: false });
      this.members.push(member);
    }

    remove(member: Member): void {
      member.domain = null;
      const at = this.members.indexOf(member);
      if (at >= 0) this.members.splice(at, 1);
    }

    /** What `fn` throws leaves the domain entered: that is how its error finds the domain. */
    run(fn: AnyFunction, ...args: unknown[]): unknown {
      this.enter();
      const result: unknown = Reflect.apply(fn, this, args);
      this.exit();
      return result;
    }

    bind(fn: AnyFunction): AnyFunction {
      // oxlint-disable-next-line no-this-alias -- the function below keeps its caller's `this`
      const domain = this;
      return Object.assign(function (this: unknown, ...args: unknown[]): unknown {
        domain.enter();
        const result: unknown = Reflect.apply(fn, this, args);
        domain.exit();
        return result;
      }, { domain });
    }

    /** For callbacks whose first argument is an error. */
    intercept(fn: AnyFunction): AnyFunction {
      const inside = this.bind(fn);
      return (error: unknown, ...args: unknown[]) => {
        if (!(error instanceof Error)) return inside(...args);
        Object.assign(error, { domainBound: fn, domainThrown: false, domain: this });
        return this.emit("error", error);
      };
    }
  }

  captureUncaught(runtime, (error) => {
    const domain = active();
    if (!domain || domain.listenerCount("error") === 0) return false;
    if (typeof error === "object" && error !== null) Object.defineProperty(error, "domain", { value: domain, writable: true, configurable: true, enumerable: false });
    if (error instanceof Error) Object.assign(error, { domainThrown: true });
    // Errors of its own listeners are not its own business.
    enter(null);
    domain.emit("error", error);
    return true;
  });
  joinEmitters(active);
  const exported: Dict = { Domain, create: () => new Domain(), createDomain: () => new Domain() };
  Object.defineProperty(exported, "active", { get: active, enumerable: true });
  Object.defineProperty(process, "domain", { get: active, configurable: true, enumerable: true });
  return exported;
}

/** An emitter that was added to a domain calls its listeners there, and its unheard errors go to the domain. */
function joinEmitters(active: () => unknown): void {
  const prototype = EventEmitter.prototype as unknown as { emit: AnyFunction };
  const { emit } = prototype;
  prototype.emit = function (this: Member, ...args: unknown[]): unknown {
    const domain = this.domain as (Emitter & { enter(): void; exit(): void }) | null | undefined;
    if (!domain || (this as unknown) === domain) return Reflect.apply(emit, this, args);
    if (args[0] === "error" && this.listenerCount("error") === 0) {
      // oxlint-disable-next-line prefer-nullish-coalescing -- Node makes one for false and 0, too
      const error = args[1] || new Error("Unhandled error.");
      if (error instanceof Error) Object.assign(error, { domainEmitter: this, domainThrown: false, domain });
      return domain.emit("error", error);
    }
    if (active() === domain) return Reflect.apply(emit, this, args);
    domain.enter();
    const result: unknown = Reflect.apply(emit, this, args);
    domain.exit();
    return result;
  } as AnyFunction;
}
