import type { Dataset, SampleIssue } from '../../src-shared/domain.ts';

type Kind = SampleIssue['kind'];

/** What each finding means, in the order in which a person should look at them. */
export const kinds: readonly { kind: Kind; title: string; meaning: string }[] = [
  { kind: 'broken', title: 'Broken', meaning: 'Could not be decoded; left out.' },
  { kind: 'empty', title: 'Empty', meaning: 'Files without content; left out.' },
  { kind: 'unsupported', title: 'Unsupported', meaning: 'Not one of the image formats read here; left out.' },
  { kind: 'huge', title: 'Too large', meaning: 'More pixels than can be decoded safely; left out.' },
  {
    kind: 'single-in-class',
    title: 'Single image in its class',
    meaning: 'Too few to train and test on this class.',
  },
  {
    kind: 'unusual',
    title: 'Read in an unusual way',
    meaning: 'There are several ways to show these; check that the pictures are right.',
  },
  {
    kind: 'exact-duplicate',
    title: 'Exact duplicates',
    meaning: 'The same file content twice. Between train and test it flatters the test accuracy.',
  },
  {
    kind: 'near-duplicate',
    title: 'Near duplicates',
    meaning: 'Pictures that look the same. Between train and test they flatter the test accuracy.',
  },
];

/** Paths of the images that any finding names, either side of a duplicate included. */
export function flaggedPaths(dataset: Dataset): Set<string> {
  return new Set(dataset.issues.flatMap((issue) => (issue.other ? [issue.path, issue.other] : [issue.path])));
}
