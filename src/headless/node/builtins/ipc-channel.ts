// What `process.channel` and `child.channel` are: whether the connection keeps the process alive. It does while somebody
// counts on it (`refCounted`, as each listener does), until a program says itself what it wants (`ref`, `unref`).
export interface IpcChannel {
  refCounted(): void;
  unrefCounted(): void;
  ref(): void;
  unref(): void;
  /** Lets go for good: the connection has ended. */
  close(): void;
}

/** `count`: how many count on it from the start. */
export function createIpcChannel(hold: () => () => void, count = 0): IpcChannel {
  let said = false;
  let release = count > 0 ? hold() : undefined;
  const keep = (): void => {
    release ??= hold();
  };
  const letGo = (): void => {
    release?.();
    release = undefined;
  };
  const channel = {
    refCounted: () => {
      if (++count === 1 && !said) keep();
    },
    unrefCounted: () => {
      if (--count === 0 && !said) letGo();
    },
    ref: () => {
      said = true;
      keep();
    },
    unref: () => {
      said = true;
      letGo();
    },
  };
  const close = (): void => {
    said = true;
    letGo();
  };
  return Object.defineProperty(channel, "close", { value: close }) as IpcChannel;
}
