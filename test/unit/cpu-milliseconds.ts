/**
 * Milliseconds of this process's own processor time that `work` takes, the least of several. Wall time would measure
 * whatever else runs on the machine; everything read here is in the file cache, so that nothing waits for a disk.
 */
export async function cpuMilliseconds(work: () => unknown): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 8; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}
