import type { TextContent } from '../../src-shared/domain.ts';
import { entitiesOf } from '../../src-shared/entities.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { TaskName } from '../../src-shared/names.ts';
import { byPath, textOrder } from '../../src-shared/text-order.ts';
import { type ComparableText, textFindings } from '../text/text-findings.ts';
import { datasetHash, textHash } from './dataset-hash.ts';
import type { FoundImage } from './formats/format.ts';
import { changesSince, type ImportedImages, type PreviousImport } from './import-images.ts';
import type { Listing } from './list-images.ts';
import { drawTestSplit, settleSplits } from './test-split.ts';

/** A text of a listing. */
type FoundText = FoundImage & { text: TextContent };

/**
 * What a dataset of texts holds: of texts with tags the classes are the types of their entities. A text without words is named and
 * left out; the rest is kept as it is, however long. Errors: `bad-input` where some have tags and others a class.
 */
export function importTexts(
  found: readonly FoundImage[],
  { format, issues, notes }: Listing,
  seed: number,
  previous?: PreviousImport,
): ImportedImages & { task: TaskName } {
  const texts = found.filter((one): one is FoundText => !isEmpty(one.text!));
  if (texts.length === 0)
    throw new CotuneError(
      'bad-input',
      `None of the ${found.length} texts has a word.`,
      'Check which column holds the text.',
    );
  const task = taskOf(texts);
  const named = texts.flatMap(({ className, text }) =>
    text.tags ? entitiesOf(text.tags).map(({ type }) => type) : [className],
  );
  const classes = [...new Set(named)].sort(textOrder);
  const places = new Map(classes.map((name, place) => [name, place]));
  const drawn = assignTestSplit(texts, seed);
  for (const issue of textFindings(found.map(comparable))) issues.push(issue);
  const samples = texts.map(({ path, className, split, group = null, text }) => ({
    path,
    label: text.tags ? -1 : places.get(className)!,
    split: split!,
    ...{ width: 0, height: 0, perceptualHash: '', stamp: null, locator: null },
    bytes: Buffer.byteLength(text.text),
    hash: textHash(text),
    group,
    text,
  }));
  samples.sort(byPath);
  issues.sort(byPath);
  return {
    task,
    format,
    classes,
    samples,
    issues,
    looksOdd: [],
    notes: [
      ...notes,
      ...drawn,
      ...(classes.length === 0 ? ['There is no entity in these sentences: nothing can be learned.'] : []),
      ...changesSince(previous, samples),
    ],
    hash: datasetHash(samples, classes),
  };
}

/** A text of blanks alone, or without a word. */
const isEmpty = ({ text, words }: TextContent): boolean => words?.length === 0 || text.trim() === '';

const comparable = ({ path, split, className, text }: FoundImage): ComparableText => ({
  ...{ path, split, text: text!.text, words: text!.words, tags: text!.tags },
  label: text!.tags ? null : className,
});

function taskOf(texts: readonly FoundText[]): TaskName {
  const tagged = texts.filter(({ text }) => text.tags !== null).length;
  if (tagged === 0) return 'text-classification';
  if (tagged === texts.length) return 'token-classification';
  throw new CotuneError(
    'bad-input',
    `${tagged} of ${texts.length} texts have tags, and the others a label.`,
    'A dataset has one or the other: import them apart.',
  );
}

/** As for images: given splits stay, a validation split alone is the test split, and without either a fifth is drawn, equal texts together. */
function assignTestSplit(texts: readonly FoundText[], seed: number): string[] {
  const given = settleSplits(texts);
  if (given === 'test') return [];
  if (given === 'val')
    return [
      'There is a validation file but no test file: its texts serve as the test split, and validation texts are set aside from the training texts.',
    ];
  drawTestSplit(texts, ({ text }) => text.text, seed);
  return ['There is no test file: a fifth of the texts, chosen by the seed, is the test split.'];
}
