import type { SampleIssue, Split } from '../../src-shared/domain.ts';
import { entitiesOf } from '../../src-shared/entities.ts';
import { nearTexts } from './near-texts.ts';

/** A text as far as it can be held against others. */
export interface ComparableText {
  /** Names it: its file and place in there. */
  path: string;
  /** Null where none is chosen yet. */
  split: Split | null;
  text: string;
  /** Class of the whole text; null where its words are tagged. */
  label: string | null;
  /** Its words with a tag for each; null where it has a class. */
  words: readonly string[] | null;
  tags: readonly string[] | null;
}

/**
 * What is noticed about the texts of a dataset at import: those without content, which are left out; those that are there twice, or
 * nearly; the same text with two labels, or other tags; classes of one text. A text that repeats others is in one finding, with the
 * first that it repeats, one of another split before one of its own.
 */
export function textFindings(texts: readonly ComparableText[]): SampleIssue[] {
  const [empty, read] = [true, false].map((wanted) =>
    texts.filter(({ text }) => (plainSpace(text) === '') === wanted),
  );
  return [
    ...empty.map(({ path }): SampleIssue => ({ kind: 'empty', path, detail: 'there is nothing in it' })),
    ...repeated(read),
    ...single(read),
  ];
}

const plainSpace = (text: string): string => text.normalize('NFC').trim().replaceAll(/\s+/g, ' ');

/** Equal texts by the first of each that has a target of its own; of different texts those that are nearly the same. */
function repeated(texts: readonly ComparableText[]): SampleIssue[] {
  const issues: SampleIssue[] = [];
  const different: ComparableText[] = [];
  for (const equal of Map.groupBy(texts, ({ text }) => plainSpace(text)).values()) {
    different.push(equal[0]);
    for (const [first, ...copies] of Map.groupBy(equal, targetOf).values()) {
      if (first !== equal[0]) issues.push(pairIssue('label-conflict', first, equal[0], contradiction));
      for (const copy of copies)
        issues.push(pairIssue('exact-duplicate', copy, first, () => 'the same text'));
    }
  }
  for (const [index, near] of nearTexts(different.map(({ text }) => text)).entries()) {
    const text = different[index];
    const found = near.find(({ other }) => different[other].split !== text.split) ?? near[0];
    if (!found) continue;
    const original = different[found.other];
    const labels = targetOf(text) === targetOf(original) ? '' : ', with another label or other tags';
    const share = `${Math.round(100 * found.alike)} % of their words and pairs of words are the same${labels}`;
    issues.push(pairIssue('near-duplicate', text, original, () => share));
  }
  return issues;
}

/** Of a pair the text outside the training split is the one to look at. */
function pairIssue(
  kind: SampleIssue['kind'],
  second: ComparableText,
  first: ComparableText,
  detailOf: (text: ComparableText, other: ComparableText) => string,
): SampleIssue {
  const [text, other] = first.split === 'test' && second.split !== 'test' ? [first, second] : [second, first];
  const splits = text.split === other.split ? '' : `, across splits: ${other.split} and ${text.split}`;
  return {
    kind,
    path: text.path,
    other: other.path,
    detail: `${detailOf(text, other)}${splits}`,
  };
}

/** What a text is labeled with, whatever scheme its tags are in. */
const targetOf = ({ label, tags }: ComparableText): string =>
  JSON.stringify([label, tags && entitiesOf(tags).map(({ type, start, end }) => [type, start, end])]);

/** Where two equal texts are labeled differently. */
function contradiction(text: ComparableText, other: ComparableText): string {
  if (!text.tags || !other.tags) return `${text.label} here, ${other.label} there`;
  const [here, there] = [text.tags, other.tags].map(typesOf);
  const at = here.findIndex((type, word) => type !== there[word]);
  const word = (text.words ?? text.text.split(' '))[at];
  return at < 0 ? 'entities end elsewhere here' : `“${word}” is ${here[at]} here, ${there[at]} there`;
}

/** The type of the entity that each word belongs to, or O. */
const typesOf = (tags: readonly string[]): string[] => {
  const types = tags.map(() => 'O');
  for (const { type, start, end } of entitiesOf(tags)) types.fill(type, start, end);
  return types;
};

function single(texts: readonly ComparableText[]): SampleIssue[] {
  const classes = Map.groupBy(
    texts.filter(({ label }) => label !== null),
    ({ label }) => label!,
  );
  return [...classes].flatMap(([label, [text, another]]) =>
    another
      ? []
      : [{ kind: 'single-in-class' as const, path: text.path, detail: `the only text of ${label}` }],
  );
}
