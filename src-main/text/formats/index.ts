import { conll } from './conll.ts';
import type { TextFormat } from './format.ts';
import { jsonLines } from './json-lines.ts';
import { lines } from './lines.ts';
import { table } from './table.ts';
import { trec } from './trec.ts';

/** Those with labels or tags. */
export const labeledTextFormats: readonly TextFormat[] = [conll, jsonLines, table, trec];

/** Ways to keep texts in a file; the first that a file is in is taken, and every text is in lines. */
export const textFormats: readonly TextFormat[] = [...labeledTextFormats, lines];
