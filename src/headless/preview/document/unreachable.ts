// What has no place in a document without a network, and what no policy holds back.

/** WebRTC speaks UDP past every policy. Frames of the document have no scripts, Workers have no WebRTC: nothing brings it back. */
export function forget(): void {
  const realm = window as unknown as Record<string, unknown>;
  for (const name of Object.getOwnPropertyNames(window)) if (/^(?:webkit)?RTC/.test(name) || name === "WebTransport") delete realm[name];
}
