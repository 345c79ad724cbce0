import type { EditRequest } from '../../src-shared/contract.ts';
import type { Dataset } from '../../src-shared/domain.ts';
import { Attempt } from '../attempt.svelte.ts';
import { client } from '../session.svelte.ts';

/** Edits of the sample that is looked at, the last of which can be taken back. */
export class SampleEdit {
  readonly attempt = new Attempt();
  readonly #dataset: () => Dataset;
  readonly #id: () => number;
  #made = $state.raw<{ id: number; action: EditRequest['action']; edit: number } | null>(null);

  constructor(dataset: () => Dataset, id: () => number) {
    this.#dataset = dataset;
    this.#id = id;
  }

  /** What was done to this sample last, while it can be taken back. */
  get last(): EditRequest['action'] | null {
    return this.#made?.id === this.#id() ? this.#made.action : null;
  }

  make(request: EditRequest): Promise<void> {
    const id = this.#id();
    return this.attempt.make(async () => {
      const { edit } = await client.call('datasets.edit', {
        dataset: this.#dataset().name,
        edits: [request],
      });
      if (edit !== null) this.#made = { id, action: request.action, edit };
    });
  }

  undo(): Promise<void> {
    return this.attempt.make(async () => {
      await client.call('datasets.undo', { dataset: this.#dataset().name, edit: this.#made?.edit });
      this.#made = null;
    });
  }
}
