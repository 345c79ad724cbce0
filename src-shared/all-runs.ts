import type { CallInput, Client } from './contract.ts';
import type { Run } from './domain.ts';

/** Every run that a filter lets through, newest first, page by page. */
export async function allRuns(
  client: Pick<Client, 'call'>,
  filter: Omit<CallInput<'runs.list'>, 'before' | 'limit'> = {},
): Promise<Run[]> {
  const runs: Run[] = [];
  for (;;) {
    const page = await client.call('runs.list', { ...filter, before: runs.at(-1)?.id });
    runs.push(...page);
    // A run that is deleted meanwhile leaves a page short at most of itself, and the next one begins behind the last seen.
    if (page.length === 0) return runs;
  }
}
