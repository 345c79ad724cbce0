/** What a round of faults came to. Each count but the first two is a fault of the program. */
export interface Figures {
  kills: number;
  /** Full disks and folders that could not be written. */
  refusals: number;
  /** Runs, datasets or files that are gone, or that cannot be gone on with. */
  lost: string[];
  /** Results that are not those of an undisturbed run. */
  differing: string[];
  /** Errors that say nothing to a person, and processes that ended by themselves. */
  crashes: string[];
}

export const newFigures = (): Figures => ({ kills: 0, refusals: 0, lost: [], differing: [], crashes: [] });

/** Of both, in place of the first. */
export function add(to: Figures, more: Figures): void {
  to.kills += more.kills;
  to.refusals += more.refusals;
  for (const kind of ['lost', 'differing', 'crashes'] as const) to[kind].push(...more[kind]);
}
