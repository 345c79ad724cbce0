/** The open findings of one kind, worked off one by one. */
import type { EditRequest } from '../../src-shared/contract.ts';
import type { Finding, FindingKindName } from '../../src-shared/domain.ts';
import { type ErrorValue, toErrorValue } from '../../src-shared/errors.ts';
import { client } from '../session.svelte.ts';

const pageLength = 100;

/** What became of a finding, in a word; its place in the queue stays, so that one can go back to it. */
export type Decision = 'kept' | 'excluded' | 'relabelled' | 'moved' | 'merged';

export class ReviewQueue {
  readonly dataset: string;
  readonly kind: FindingKindName;
  items = $state.raw<Finding[]>([]);
  at = $state(0);
  decisions = $state.raw(new Map<number, Decision>());
  loading = $state(true);
  error = $state.raw<ErrorValue | null>(null);
  /** How many are open, those beyond what is loaded included. */
  open = $state(0);
  /** What was decided, the last at the end: the edits, by what they are called, and the findings that they are about. */
  #done: { edit: number; findings: number[] }[] = [];
  #busy = false;

  constructor(dataset: string, kind: FindingKindName) {
    this.dataset = dataset;
    this.kind = kind;
    void this.#attempt(() => this.#load());
  }

  get current(): Finding | undefined {
    return this.items[this.at];
  }

  move(by: number): Promise<void> {
    return this.#attempt(() => this.#step(by));
  }

  /** Makes edits for the finding that is shown, and goes on to the next. */
  decide(decision: Decision, edits: EditRequest[]): Promise<void> {
    const finding = this.current;
    return this.#attempt(async () => {
      if (!finding) return;
      await this.#make(edits, [finding.id], decision);
      await this.#lookAgain(finding);
      await this.#step(1);
    });
  }

  /** Makes edits for every open finding of the kind at once, which one undo takes back. */
  decideAll(decision: Decision, editOf: (finding: Finding) => EditRequest): Promise<void> {
    return this.#attempt(async () => {
      while (await this.#load());
      const left = this.items.filter(({ id }) => !this.decisions.has(id));
      if (left.length === 0) return;
      const findings = left.map(({ id }) => id);
      await this.#make(left.map(editOf), findings, decision);
      this.at = this.items.length;
    });
  }

  /** Takes back what was decided last and shows what it was about; where nothing was decided here, the last edit of the dataset. */
  undo(): Promise<void> {
    return this.#attempt(async () => {
      const last = this.#done.pop();
      await client.call('datasets.undo', { dataset: this.dataset, edit: last?.edit });
      const undone = last?.findings ?? [];
      this.decisions = new Map([...this.decisions].filter(([id]) => !undone.includes(id)));
      this.open += undone.length;
      const place = this.items.findIndex(({ id }) => id === undone[0]);
      if (place < 0) return;
      this.at = place;
      await this.#lookAgain(this.items[place]);
    });
  }

  async #step(by: number): Promise<void> {
    this.at = Math.max(0, Math.min(this.items.length, this.at + by));
    if (this.at >= this.items.length - 1) await this.#load();
  }

  async #make(edits: EditRequest[], findings: number[], decision: Decision): Promise<void> {
    const { edit } = await client.call('datasets.edit', { dataset: this.dataset, edits });
    if (edit !== null) this.#done.push({ edit, findings });
    this.decisions = new Map([...this.decisions, ...findings.map((id) => [id, decision] as const)]);
    this.open -= findings.length;
  }

  /** Brings findings up to what the samples of one are now. */
  async #lookAgain({ sample, otherSample }: Finding): Promise<void> {
    const { dataset, kind } = this;
    const asked = [sample, otherSample].flatMap((one) =>
      one ? [client.call('datasets.findings', { dataset, kind, sample: one.id, limit: pageLength })] : [],
    );
    const now = (await Promise.all(asked)).flatMap(({ findings }) =>
      findings.map((one) => [one.id, one] as const),
    );
    const known = new Map(now);
    this.items = this.items.map((one) => known.get(one.id) ?? one);
  }

  /** Loads what comes after; whether there was anything. */
  async #load(): Promise<boolean> {
    const after = this.items.at(-1)?.id;
    const { dataset, kind } = this;
    const page = await client.call('datasets.findings', {
      dataset,
      kind,
      state: 'open',
      after,
      limit: pageLength,
    });
    this.open = page.total;
    this.items = [...this.items, ...page.findings];
    return page.findings.length > 0;
  }

  /** One thing at a time: a key held down does not decide twice about one finding. */
  async #attempt(work: () => Promise<unknown>): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await work();
      this.error = null;
    } catch (error) {
      this.error = toErrorValue(error);
    } finally {
      this.#busy = false;
      this.loading = false;
    }
  }
}
