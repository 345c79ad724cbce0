import { type ClassForm, filledLines } from '../form.ts';

/** One name a line; a line that is quoted as a whole, with or without a comma behind it, is what its quotes hold. */
export const lines: ClassForm = {
  title: 'a list with one name a line',
  recognizes: () => true,
  read: (file) => {
    const filled = filledLines(file);
    const single = filled.every(({ text }) => /^'.+',?$/.test(text));
    return filled.map(({ text, line }) => ({ name: unquoted(text, single), line }));
  },
};

function unquoted(text: string, single: boolean): string {
  if (single) return text.replace(/^'(.*)',?$/, '$1').replaceAll("\\'", "'");
  const quoted = /^"((?:[^"]|"")*)",?$/.exec(text);
  return quoted ? quoted[1].replaceAll('""', '"') : text;
}
