/** What is wrong with the entities that were predicted in a sentence. */
import type { Entity } from './entities.ts';

export const spanErrorKinds = [
  { name: 'boundary', title: 'Boundary', meaning: 'The type is right, where it begins or ends is not.' },
  { name: 'type', title: 'Type', meaning: 'It begins and ends where it should, under another type.' },
  { name: 'missed', title: 'Missed', meaning: 'Nothing was predicted for an entity that is there.' },
  { name: 'invented', title: 'Invented', meaning: 'Something was predicted where there is no such entity.' },
] as const;

export type SpanErrorKind = (typeof spanErrorKinds)[number]['name'];

/** `gold` is null for what was invented, `predicted` for what was missed. */
export interface SpanError {
  kind: SpanErrorKind;
  gold: Entity | null;
  predicted: Entity | null;
}

/**
 * The errors of a sentence, in its order; none where both are the same entities. An entity is in one error at most: it is first set beside
 * the one between the same ends, then beside that of its type which shares most words with it, the earlier one of two; what overlaps
 * under another type and with other ends is missed, and invented.
 */
export function spanErrors(gold: readonly Entity[], predicted: readonly Entity[]): SpanError[] {
  const errors: SpanError[] = [];
  const missed = new Set(gold);
  const invented = new Set(predicted);
  const pair = (entity: Entity, found: Entity, kind?: SpanErrorKind) => {
    missed.delete(entity);
    invented.delete(found);
    if (kind) errors.push({ kind, gold: entity, predicted: found });
  };
  for (const entity of gold) {
    const found = predicted.find(({ start, end }) => start === entity.start && end === entity.end);
    if (found) pair(entity, found, found.type === entity.type ? undefined : 'type');
  }
  const overlaps = [...missed]
    .flatMap((entity) =>
      [...invented]
        .filter(({ type }) => type === entity.type)
        .map((found) => ({ entity, found, words: wordsShared(entity, found) })),
    )
    .filter(({ words }) => words > 0)
    .sort((a, b) => b.words - a.words);
  for (const { entity, found } of overlaps)
    if (missed.has(entity) && invented.has(found)) pair(entity, found, 'boundary');
  for (const entity of missed) errors.push({ kind: 'missed', gold: entity, predicted: null });
  for (const found of invented) errors.push({ kind: 'invented', gold: null, predicted: found });
  return errors.sort((a, b) => beginOf(a) - beginOf(b));
}

const wordsShared = (a: Entity, b: Entity): number => Math.min(a.end, b.end) - Math.max(a.start, b.start);

const beginOf = ({ gold, predicted }: SpanError): number => (gold ?? predicted)!.start;
