import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Names a process so that a later one with the same id is not taken for it: `pid@start`. The start is the kernel's
 * start tick with the boot id on Linux, `ps` output on macOS, and empty where neither exists. What follows a `#` is the
 * caller's, to tell two owners in one process apart.
 */
export function identify(pid: number): string {
  return `${pid}@${startOf(pid) ?? ''}`;
}

/** Whether the process that `identify` named still runs. */
export function isAlive(identity: string): boolean {
  const [pid, start] = split(identity);
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const current = startOf(pid);
  if (current === undefined) return false;
  return start === '' || current === '' || start === current;
}

/** Ends the named process if it is still the one that was named. */
export function endProcess(identity: string): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(split(identity)[0], 'SIGKILL');
  } catch {
    // It ended by itself in between, or belongs to another user: nothing is left to do here.
  }
}

export const processId = (identity: string): number => split(identity)[0];

function split(identity: string): [number, string] {
  const [pid, rest] = identity.split('@');
  return [Number(pid), rest.split('#')[0]];
}

/** Start of a process; undefined where there is none (or only its unreaped remains), empty where it cannot be known. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold spaces; the fields after it count from the state (field 3).
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
    }
    if (process.platform === 'darwin') {
      return (
        execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
      );
    }
    return '';
  } catch {
    return undefined;
  }
}
