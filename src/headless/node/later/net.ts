// node:net and node:dns.
export { createNet } from "../net/index.ts";
export { createDns } from "../net/dns.ts";
