// Internet addresses as text, and which of them are this machine: the container's only one.

export function isIPv4(text: unknown): boolean {
  return /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(String(text));
}

export function isIPv6(text: unknown): boolean {
  const [address = "", zone, ...more] = String(text).split("%");
  return (zone === undefined || /^[\da-z.-]+$/i.test(zone)) && more.length === 0 && /^[\da-f:.]+$/i.test(address) && address.includes(":") && URL.canParse(`http://[${address}]/`);
}

export function isIP(text: unknown): 0 | 4 | 6 {
  return isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0;
}

/** A client that connects to the unspecified address reaches its own machine. */
export function isThisMachine(address: string): boolean {
  return address.startsWith("127.") || ["::1", "::", "0.0.0.0", "0:0:0:0:0:0:0:1"].includes(address) || /^::ffff:127\./i.test(address);
}

export function isLocalName(host: string): boolean {
  return /^(?:localhost|.*\.localhost)\.?$/i.test(host);
}

export interface SocketPlace {
  readonly address: string;
  readonly family: "IPv4" | "IPv6";
  readonly port: number;
}

export function placeOf(address: string, port: number): SocketPlace {
  return { address, family: isIPv6(address) ? "IPv6" : "IPv4", port };
}
