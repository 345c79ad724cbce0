import type { DatasetPreview, TableColumns } from '../../src-shared/contract.ts';
import { columns, table } from './text.ts';

const maxWidth = 40;
const cut = (text: string): string => (text.length > maxWidth ? `${text.slice(0, maxWidth - 1)}…` : text);

/** What a column is taken for, in words: `file`, `label`, `class`; empty where it is not read. */
function roleOf(column: string, { taken, classColumns }: NonNullable<DatasetPreview['table']>): string {
  if (classColumns.includes(column)) return 'class';
  const { crop, ...one } = taken;
  const edge = crop?.indexOf(column) ?? -1;
  if (edge >= 0) return ['crop left', 'crop top', 'crop width', 'crop height'][edge];
  return Object.entries(one as Omit<TableColumns, 'crop'>).find(([, name]) => name === column)?.[0] ?? '';
}

/** A preview for the terminal: the first rows of a table, with what each column is taken for above its name. */
export function previewText({ format, table: found, images, notes }: DatasetPreview): string {
  const head = [`${format.title}: ${format.why}`, ...notes];
  if (!found) {
    const rows = images.map(({ path, className, split, text }) => [
      cut(path),
      cut(className),
      split ?? '',
      ...(text ? [cut(text.text)] : []),
    ]);
    const texts = images.some(({ text }) => text) ? ['text'] : [];
    return [...head, '', table(columns('file', 'class', 'split', ...texts), rows)].join('\n');
  }
  const roles = found.columns.map((column) => roleOf(column, found));
  const said = [
    `${found.path}: of the first files ${Math.round(found.found * 100)} % are there.`,
    ...(found.others.length > 0 ? [`Read with it: ${found.others.join(', ')}.`] : []),
    'A column that is taken for something else than it is: --column label=NAME, and so on.',
  ];
  const rows = found.rows.map((row) => row.map(cut));
  return [
    ...head,
    ...said,
    '',
    table(
      found.columns.map((column) => ({ title: cut(column) })),
      [roles, ...rows],
    ),
  ].join('\n');
}
