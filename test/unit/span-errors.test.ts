import { expect, test } from 'vitest';
import { entitiesOf } from '../../src-shared/entities.ts';
import { spanErrors } from '../../src-shared/span-errors.ts';

/** Errors as `kind gold predicted`, entities as `type start-end`. */
function errorsOf(gold: string, predicted: string): string[] {
  const said = (entity: { type: string; start: number; end: number } | null) =>
    entity ? `${entity.type} ${entity.start}-${entity.end}` : '-';
  const [wanted, found] = [gold, predicted].map((tags) => entitiesOf(tags.split(' ')));
  return spanErrors(wanted, found).map(
    (error) => `${error.kind}: ${said(error.gold)}, ${said(error.predicted)}`,
  );
}

test.each([
  ['the same entities are no error', 'B-PER I-PER O B-LOC', 'B-PER I-PER O B-LOC', []],
  ['another end', 'B-PER I-PER O', 'B-PER O O', ['boundary: PER 0-2, PER 0-1']],
  ['another type', 'O B-ORG I-ORG', 'O B-LOC I-LOC', ['type: ORG 1-3, LOC 1-3']],
  [
    'another type and another end is both',
    'B-ORG I-ORG',
    'B-LOC O',
    ['missed: ORG 0-2, -', 'invented: -, LOC 0-1'],
  ],
  ['none found, one made up', 'B-PER O', 'O B-MISC', ['missed: PER 0-1, -', 'invented: -, MISC 1-2']],
  [
    'of two parts of an entity the larger one is its other end',
    'B-ORG I-ORG I-ORG I-ORG',
    'B-ORG B-ORG I-ORG I-ORG',
    ['boundary: ORG 0-4, ORG 1-4', 'invented: -, ORG 0-1'],
  ],
  [
    'an entity over two is the other end of one',
    'B-PER B-PER I-PER',
    'B-PER I-PER I-PER',
    ['missed: PER 0-1, -', 'boundary: PER 1-3, PER 0-3'],
  ],
  [
    'what is right is not taken for another',
    'B-PER O B-PER I-PER',
    'B-PER O B-PER O',
    ['boundary: PER 2-4, PER 2-3'],
  ],
])('%s', (_, gold, predicted, errors) => {
  expect(errorsOf(gold, predicted)).toEqual(errors);
});
