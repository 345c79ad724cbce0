import { parse } from 'csv-parse/sync';
import { firstLines, type TextFormat, type TextSample, titles } from './format.ts';

const dividers: Record<string, string> = { '.csv': ',', '.tsv': '\t' };

interface Row {
  record: string[];
  info: { lines: number };
}

/** Rows with the line at which each ends. */
const rowsOf = (content: string, extension: string): Row[] =>
  parse(content, {
    delimiter: dividers[extension],
    info: true,
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    quote: extension === '.tsv' ? null : '"',
  }) as unknown as Row[];

const columnIn = (head: readonly string[], names: readonly string[]): number =>
  names.map((name) => head.indexOf(name)).find((at) => at >= 0) ?? -1;

const headOf = (row: Row | undefined): string[] =>
  (row?.record ?? []).map((title) => title.trim().toLowerCase());

export const table: TextFormat = {
  name: 'text-table',
  title: 'Table of texts',
  help: 'CSV or TSV whose first line names a column `text`, and one `label` where there are labels',
  source: 'Hugging Face datasets, packaged_modules/csv',
  is(content, extension) {
    if (!(extension in dividers)) return false;
    const [first] = firstLines(content);
    return first !== undefined && columnIn(headOf(rowsOf(first, extension)[0]), titles.text) >= 0;
  },
  read(content, extension) {
    const [head, ...rows] = rowsOf(content, extension);
    const names = headOf(head);
    const [text, label] = [columnIn(names, titles.text), columnIn(names, titles.label)];
    const samples: TextSample[] = [];
    const odd: number[] = [];
    for (const { record, info } of rows)
      if (record.length !== names.length) odd.push(info.lines);
      else
        samples.push({
          text: record[text],
          words: null,
          label: label < 0 ? null : record[label],
          tags: null,
          line: info.lines,
        });
    return { samples, facts: '', odd };
  },
};
