// What is known of each port of this process. The port itself is the engine's, so that it can lie anywhere in a message and be
// handed over; what goes over it is ours: between two ports of one process by a queue, to another thread's by the engine's
// channel, beside a mailbox in shared memory where there is one.
import type { AnyFunction } from "../runtime.ts";
import type { Mailbox } from "./mailbox.ts";

/** A message as it lies with its receiver. */
export interface Letter {
  readonly value: unknown;
  readonly ports: readonly MessagePort[];
}

/** The other end's last word. */
export const CLOSED = Symbol("closed");

/** Where the other end is in another thread. */
export interface Remote {
  post(value: unknown, transfer: readonly object[]): void;
  close(): void;
  /** What comes and goes in shared memory; and how many have been taken from there whose notice is still to come. */
  readonly inbox?: Mailbox | undefined;
  readonly outbox?: Mailbox | undefined;
  taken: number;
  /** The thread that has the other end, once that is known. */
  owner?: number | undefined;
}

export interface PortState {
  port: MessagePort;
  readonly queue: (Letter | typeof CLOSED)[];
  /** The other end in this process. */
  peer: PortState | undefined;
  remote: Remote | undefined;
  /** Hands out what comes. */
  started: boolean;
  /** `close` was called, or the other end has. */
  closing: boolean;
  /** Nothing more comes or goes. */
  gone: boolean;
  /** Keeps the process alive. */
  release: (() => void) | undefined;
  /** The listener that the engine calls for each of the program's, by event. */
  readonly listeners: Map<string, Map<AnyFunction, EventListener>>;
  readonly handlers: Map<string, unknown>;
}

const states = new WeakMap<MessagePort, PortState>();

export const stateOf = (port: unknown): PortState | undefined => states.get(port as MessagePort);

/** Handed over or closed. */
export function isDetached(port: MessagePort): boolean {
  const state = states.get(port);
  return state === undefined || state.closing || state.gone;
}

export function newState(port: MessagePort): PortState {
  const state: PortState = { port, queue: [], peer: undefined, remote: undefined, started: false, closing: false, gone: false, release: undefined, listeners: new Map(), handlers: new Map() };
  states.set(port, state);
  return state;
}

/** The port is this one from now on, in this process; undefined: in none. */
export function movePort(state: PortState, to: MessagePort | undefined): void {
  states.delete(state.port);
  state.release?.();
  state.release = undefined;
  state.started = false;
  state.listeners.clear();
  state.handlers.clear();
  if (!to) return;
  state.port = to;
  states.set(to, state);
}
