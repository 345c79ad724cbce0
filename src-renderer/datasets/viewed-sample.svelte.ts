import type { Dataset } from '../../src-shared/domain.ts';
import { Loaded } from '../loaded.svelte.ts';
import { client } from '../session.svelte.ts';

/** A sample that is looked at, with what was found of it. Make it while a component initializes. */
export class ViewedSample {
  readonly #id: () => number;
  readonly #loaded;
  readonly #found;

  constructor(dataset: () => Dataset, id: () => number) {
    this.#id = id;
    // Both are asked for again when the dataset is another one: an edit changes what a sample is.
    this.#loaded = new Loaded(() => {
      void dataset();
      return client.call('samples.get', { sample: id() });
    });
    this.#found = new Loaded(() =>
      client.call('datasets.findings', { dataset: dataset().name, sample: id(), limit: 1000 }),
    );
  }

  get error() {
    return this.#loaded.error;
  }
  /** Null while it is on its way. */
  readonly sample = $derived.by(() => {
    const { value } = this.#loaded;
    return value?.id === this.#id() ? value : null;
  });
  readonly findings = $derived.by(() => this.#found.value?.findings ?? []);
  /** Those that a finding sets beside it. */
  readonly others = $derived.by(() => {
    const pairs = this.findings.flatMap(({ sample, otherSample }) =>
      sample && otherSample ? [sample, otherSample] : [],
    );
    return [...new Map(pairs.map((one) => [one.id, one])).values()].filter(({ id }) => id !== this.#id());
  });
}
