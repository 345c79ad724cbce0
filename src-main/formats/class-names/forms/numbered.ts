import { byIndex, type ClassForm, type ClassText, filledLines, numbersAll } from '../form.ts';

const before = /^["']?(\d{1,6})["']?(?:\s*[:.)=\t|-]\s*|\s*,\s*|\s+)(\S.*)$/;
const after = /^(\S.*?)(?:\s*[:=\t|]\s*|\s*,\s*|\s+)(\d{1,6})$/;

/** Lines as (index, name) where every line has an index and the indices are 0 … n-1 or 1 … n, else null. */
function numbering(file: ClassText) {
  const lines = filledLines(file);
  if (lines.length < 2) return null;
  for (const [pattern, index, name] of [
    [before, 1, 2],
    [after, 2, 1],
  ] as const) {
    const matches = lines.map(({ text }) => pattern.exec(text));
    if (!matches.every((match) => match !== null)) continue;
    const entries = matches.map((match, at) => ({
      index: Number(match[index]),
      named: { name: match[name], line: lines[at].line },
    }));
    if (numbersAll(entries.map((entry) => entry.index)) && distinct(entries)) return entries;
  }
  return null;
}

/** «1 cent», «2 cent» are names and no numbering: without their numbers they would all be one. */
const distinct = (entries: { named: { name: string } }[]): boolean =>
  new Set(entries.map(({ named }) => named.name)).size > entries.length / 2;

/** Lines with an index before or after the name: `0 tench`, `1: goldfish`, `/a/airfield 0`. */
export const numbered: ClassForm = {
  title: 'a numbered list',
  recognizes: (file) => numbering(file) !== null,
  read: (file) => byIndex(numbering(file)!),
};
