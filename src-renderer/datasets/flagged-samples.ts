import type { Sample } from '../../src-shared/domain.ts';
import { client } from '../session.svelte.ts';

const pageLength = 1000;
/** Findings beyond this many images are listed without pictures. */
const most = 10_000;

/** The images that findings name, by path: findings know paths, pictures are asked for by id. */
export async function flaggedSamples(dataset: string): Promise<Map<string, Sample>> {
  const byPath = new Map<string, Sample>();
  for (let offset = 0; offset < most; offset += pageLength) {
    const page = await client.call('datasets.samples', {
      dataset,
      issuesOnly: true,
      offset,
      limit: pageLength,
    });
    for (const sample of page.samples) byPath.set(sample.path, sample);
    if (offset + pageLength >= page.total) break;
  }
  return byPath;
}
