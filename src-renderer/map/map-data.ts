/** A dataset's images as a network's features place them, and what is known of each. */
import type { CallInput, CallOutput } from '../../src-shared/contract.ts';
import type { Split } from '../../src-shared/domain.ts';
import { client } from '../session.svelte.ts';

export type Asked = Pick<CallInput<'features.get'>, 'dataset' | 'model' | 'run'>;

export interface MapData {
  ids: Int32Array;
  /** Row-major [ids, components]: principal components, the largest first. */
  values: Float32Array;
  components: number;
  labels: Int32Array;
  splits: Split[];
  flagged: boolean[];
  /** By the run whose features they are; -1 where it said nothing. */
  predicted: Int32Array;
}

/** Everything that the service has, page by page. Errors: `not-found` before it is made. */
export async function loadMap(asked: Asked): Promise<MapData> {
  let data: MapData | null = null;
  let from: number | null = 0;
  while (from !== null) {
    const page: CallOutput<'features.get'> = await client.call('features.get', { ...asked, from });
    const { total, components, ids, values, facts, next } = page;
    data ??= {
      ids: new Int32Array(total),
      values: new Float32Array(total * components),
      components,
      labels: new Int32Array(total),
      splits: [],
      flagged: [],
      predicted: new Int32Array(total),
    };
    data.ids.set(ids, from);
    data.values.set(floats(values), from * components);
    data.labels.set(facts.labels, from);
    data.predicted.set(facts.predicted, from);
    data.splits.push(...facts.splits);
    data.flagged.push(...facts.flagged);
    from = next;
  }
  // What came last is read in one task, what the page makes of all in the next.
  await new Promise((done) => setTimeout(done));
  return data!;
}

function floats(base64: string): Float32Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return new Float32Array(bytes.buffer);
}
