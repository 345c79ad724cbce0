import { type Entity, entitiesOf, tagsOf } from '../../src-shared/entities.ts';

const overlap = (a: Entity, b: Entity): boolean => a.start < b.end && b.start < a.end;

/**
 * Given tags in which the entities around one word are as predicted, and all others as they were: what else a network sees otherwise is
 * another question. In IOB2.
 */
export function suggestedTags(
  given: readonly string[],
  predicted: readonly string[],
  word: number,
): string[] {
  const [old, found] = [given, predicted].map(entitiesOf);
  const around = [...old, ...found].filter(({ start, end }) => start <= word && word < end);
  const isAround = (entity: Entity) => around.some((one) => overlap(one, entity));
  const kept = old.filter((entity) => !isAround(entity));
  const added = found.filter((entity) => isAround(entity) && !kept.some((one) => overlap(one, entity)));
  return tagsOf([...kept, ...added], given.length);
}
