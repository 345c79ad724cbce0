/** What a person looks at a picture through: kept in the location, so that it stays from picture to picture. */
import type { ViewedHead } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { route, setQuery } from '../route.svelte.ts';
import { session } from '../session.svelte.ts';

/** `run`: another run's head beside one's own. */
export const modes = ['picture', 'target', 'source', 'both', 'run'] as const;
export type Mode = (typeof modes)[number];

/** One network to look through. */
export interface Glass {
  run: number;
  head: ViewedHead;
  title: string;
}

export class Look {
  readonly #dataset: () => number;
  readonly #own: () => number | undefined;
  opacity = $state(0.75);
  readonly mode = $derived(modes.find((known) => known === route.query.look) ?? 'picture');
  /** Runs on the picture's dataset that can be looked through, newest first. */
  readonly runs: readonly Run[] = $derived(
    (session.runs ?? []).filter((run) => run.status === 'finished' && run.datasetId === this.#dataset()),
  );

  /** `own`: the run whose predictions are shown; where there is none a person chooses one. */
  constructor(dataset: () => number, own: () => number | undefined) {
    this.#dataset = dataset;
    this.#own = own;
  }

  readonly own = $derived.by(() => this.#own() ?? this.#named(route.query.through) ?? this.runs[0]?.id);
  readonly other = $derived.by(
    () => this.#named(route.query.beside) ?? this.runs.find(({ id }) => id !== this.own)?.id,
  );
  readonly glasses = $derived.by((): Glass[] => {
    if (this.own === undefined || this.mode === 'picture') return [];
    const own: Glass = { run: this.own, head: 'target', title: `Run #${this.own}` };
    const source: Glass = { run: this.own, head: 'source', title: 'Before training' };
    if (this.mode === 'target') return [own];
    if (this.mode === 'source') return [source];
    if (this.mode === 'both') return [source, own];
    return this.other === undefined
      ? [own]
      : [own, { run: this.other, head: 'target', title: `Run #${this.other}` }];
  });

  choose(mode: Mode): void {
    setQuery({ look: mode === 'picture' ? undefined : mode });
  }

  #named(text: string | undefined): number | undefined {
    return this.runs.find(({ id }) => String(id) === text)?.id;
  }
}
