/**
 * Entities in tagged sentences, by the rules of conlleval, the scorer of CoNLL-2000 and CoNLL-2003 (E. Tjong Kim Sang), with S and E as
 * everyone adds them for IOBES. Tags are `O`, or a letter, a hyphen and a type. No scheme need be said: I behind O, or behind another
 * type, begins an entity, and none is dropped as illegal.
 */

export interface Entity {
  type: string;
  /** Its first word, and the one behind its last. */
  start: number;
  end: number;
}

export interface EntityCounts {
  gold: number;
  predicted: number;
  correct: number;
}

export interface EntityScore extends EntityCounts {
  precision: number;
  recall: number;
  f1: number;
}

export interface EntityScores {
  /** Over entities of all types. */
  micro: EntityScore;
  /** Every type in gold or predictions, by name. */
  perType: Record<string, EntityScore>;
  tokens: number;
  /** Words with the very tag. */
  tokensCorrect: number;
  tokenAccuracy: number;
}

/** The first hyphen divides: `B-GPE-LOC` is of the type GPE-LOC. */
const parts = (tag: string): [letter: string, type: string] => {
  const hyphen = tag.indexOf('-');
  return hyphen < 0 ? [tag, ''] : [tag.slice(0, hyphen), tag.slice(hyphen + 1)];
};

/** The type of the entity that a tag says its word is in; null outside of any. */
export const entityType = (tag: string): string | null => parts(tag)[1] || null;

/** Whether a word can be a tag: of IOB1, IOB2 or IOBES. */
export const isTag = (word: string): boolean => /^(?:O|[BIES]-.+)$/.test(word);

/** The entities of one sentence, in their order. */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const entities: Entity[] = [];
  let [before, typeBefore] = ['O', ''];
  for (const [at, tag] of tags.entries()) {
    const [letter, type] = parts(tag);
    const divides =
      ['O', 'E', 'S'].includes(before) || letter === 'B' || letter === 'S' || type !== typeBefore;
    if (letter !== 'O' && divides) entities.push({ type, start: at, end: at + 1 });
    else if (letter !== 'O') entities.at(-1)!.end = at + 1;
    [before, typeBefore] = [letter, type];
  }
  return entities;
}

/** The tags of so many words with such entities, which do not overlap, in IOB2. */
export function tagsOf(entities: readonly Entity[], words: number): string[] {
  const tags = new Array<string>(words).fill('O');
  for (const { type, start, end } of entities)
    for (let word = start; word < end; word++) tags[word] = `${word === start ? 'B' : 'I'}-${type}`;
  return tags;
}

/** Scores of predicted tags; 0/0 is 0. Sentences of both have the same lengths. */
export function scoreEntities(
  gold: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): EntityScores {
  const counts = new Map<string, EntityCounts>();
  const countsOf = (type: string): EntityCounts => {
    const known = counts.get(type) ?? { gold: 0, predicted: 0, correct: 0 };
    counts.set(type, known);
    return known;
  };
  let [tokens, tokensCorrect] = [0, 0];
  for (const [index, tags] of gold.entries()) {
    const [wanted, found] = [tags, predicted[index]].map(entitiesOf);
    const keys = new Set(wanted.map(keyOf));
    for (const { type } of wanted) countsOf(type).gold++;
    for (const entity of found) {
      countsOf(entity.type).predicted++;
      if (keys.has(keyOf(entity))) countsOf(entity.type).correct++;
    }
    tokens += tags.length;
    tokensCorrect += tags.filter((tag, at) => tag === predicted[index][at]).length;
  }
  const all = [...counts.values()];
  const total = (of: keyof EntityCounts) => all.reduce((sum, one) => sum + one[of], 0);
  const types = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    micro: scored({ gold: total('gold'), predicted: total('predicted'), correct: total('correct') }),
    perType: Object.fromEntries(types.map(([type, one]) => [type, scored(one)])),
    tokens,
    tokensCorrect,
    tokenAccuracy: ratio(tokensCorrect, tokens),
  };
}

/** How many entities of a sentence there are, are predicted, and are both: the same type between the same ends. */
export function countEntities(gold: readonly Entity[], predicted: readonly Entity[]): EntityCounts {
  const keys = new Set(gold.map(keyOf));
  const correct = predicted.filter((entity) => keys.has(keyOf(entity))).length;
  return { gold: gold.length, predicted: predicted.length, correct };
}

const keyOf = ({ type, start, end }: Entity): string => `${start} ${end} ${type}`;

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

function scored(counts: EntityCounts): EntityScore {
  const precision = ratio(counts.correct, counts.predicted);
  const recall = ratio(counts.correct, counts.gold);
  return { ...counts, precision, recall, f1: ratio(2 * precision * recall, precision + recall) };
}
