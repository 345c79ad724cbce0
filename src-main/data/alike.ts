import type { Sample, SampleIssue } from '../../src-shared/domain.ts';
import { clustersOf, type Duplicate } from './duplicates.ts';

/** Images of which each is a copy of another one, or shows the same picture, directly or not. */
export interface Alike {
  /** The smallest content hash among them: the same whatever the order or the names of the files. */
  key: string;
  /** Whether they are of more than one class. */
  acrossClasses: boolean;
  /** Whether one of them is a training image. */
  trained: boolean;
}

/** Groups of images that are alike, by path, from the findings of the import. Images like no other are in none. */
export function alikeByPath(
  samples: readonly Sample[],
  issues: readonly SampleIssue[],
): ReadonlyMap<string, Alike> {
  const byPath = new Map(samples.map((sample) => [sample.path, sample]));
  const pairs = issues.flatMap(({ kind, path, other }): Duplicate<Sample>[] => {
    const [image, original] = [byPath.get(path), byPath.get(other ?? '')];
    if ((kind !== 'exact-duplicate' && kind !== 'near-duplicate') || !image || !original) return [];
    return [{ kind, image, original }];
  });
  const groups = new Map<string, Alike>();
  for (const members of Map.groupBy(clustersOf(pairs), ([, root]) => root).values()) {
    const images = members.map(([image]) => image);
    const alike: Alike = {
      key: images.reduce((least, { hash }) => (hash < least ? hash : least), images[0].hash),
      acrossClasses: images.some(({ label }) => label !== images[0].label),
      trained: images.some(({ split }) => split === 'train'),
    };
    for (const { path } of images) groups.set(path, alike);
  }
  return groups;
}
