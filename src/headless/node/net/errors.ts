// Failures of the network as libuv words them.
import { nodeError } from "../errors.ts";

const TEXTS: Readonly<Record<string, readonly [errno: number, text: string]>> = {
  EPIPE: [-32, "broken pipe"],
  EACCES: [-13, "permission denied"],
  EMFILE: [-24, "too many open files"],
  ENOENT: [-2, "no such file or directory"],
  EADDRINUSE: [-98, "address already in use"],
  EADDRNOTAVAIL: [-99, "address not available"],
  ENETUNREACH: [-101, "network is unreachable"],
  ECONNRESET: [-104, "connection reset by peer"],
  ECONNREFUSED: [-111, "connection refused"],
  ENOTFOUND: [-3008, "no such host"],
};

export type NetError = Error & { errno: number | undefined; code: string; syscall: string; address?: string; port?: number; hostname?: string };

const errnoOf = (code: string): number | undefined => TEXTS[code]?.[0];

/** `read ECONNRESET`, `write EPIPE`. */
export function streamError(code: string, syscall: string): NetError {
  return Object.assign(new Error(`${syscall} ${code}`), { errno: errnoOf(code), code, syscall });
}

/** The port of a path is undefined to who connects, -1 to who listens. `connect ECONNREFUSED 127.0.0.1:1`, `listen EADDRINUSE: address already in use :::3000`. */
export function addressError(code: string, syscall: "connect" | "listen" | "bind", address: string, port?: number): NetError {
  const place = port === undefined || port <= 0 ? address : `${address}:${port}`;
  const detail = syscall === "connect" ? "" : `: ${TEXTS[code]?.[1] ?? "failed"}`;
  const local = code === "ENETUNREACH" ? " - Local (0.0.0.0:0)" : "";
  return Object.assign(new Error(`${syscall} ${code}${detail} ${place}${local}`), {
    // Their order is what printing shows.
    ...(syscall === "connect" ? { errno: errnoOf(code), code } : { code, errno: errnoOf(code) }), syscall, address, ...(port ? { port } : {}),
  });
}

/** What a program's own `lookup` answered. */
export function familyError(family: unknown, host: string, port: number): Error {
  return Object.assign(nodeError(RangeError, "ERR_INVALID_ADDRESS_FAMILY", `Invalid address family: ${String(family)} ${host}:${port}`), { host, port });
}

/** A name that nobody knows: the container has no name server. */
export function nameError(hostname: string, syscall = "getaddrinfo"): NetError {
  return Object.assign(new Error(`${syscall} ENOTFOUND ${hostname}`), { errno: syscall === "getaddrinfo" ? errnoOf("ENOTFOUND") : undefined, code: "ENOTFOUND", syscall, hostname });
}
