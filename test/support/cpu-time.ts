// For tests that bound work: processor time of this process, which a busy machine stretches far less than the clock.

/** Milliseconds of processor time that `work` took. */
export function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
