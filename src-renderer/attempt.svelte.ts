import { type ErrorValue, toErrorValue } from '../src-shared/errors.ts';

/** What a person asked for in a dialog: whether it is under way, and why the last one failed. */
export class Attempt {
  busy = $state(false);
  error = $state.raw<ErrorValue | null>(null);

  /** Does it; asked for again meanwhile it is not done twice. */
  async make(work: () => Promise<unknown>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.error = null;
    try {
      await work();
    } catch (thrown) {
      this.error = toErrorValue(thrown);
    } finally {
      this.busy = false;
    }
  }
}
