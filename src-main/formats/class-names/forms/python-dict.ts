import { byIndex, type ClassForm, filledLines, UnreadableClasses } from '../form.ts';

const entry = /^\{?\s*(\d+)\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*,?\s*\}?,?$/;

/** A printed Python dictionary, one entry a line: `{0: 'tench, Tinca tinca',`. */
export const pythonDict: ClassForm = {
  title: 'a Python dictionary',
  recognizes: (file) => {
    const [first, second] = filledLines(file).filter(({ text }) => text !== '{');
    return (
      file.text.trimStart().startsWith('{') && [first, second].every((line) => line && entry.test(line.text))
    );
  },
  read: (file) =>
    byIndex(
      filledLines(file)
        .filter(({ text }) => !/^[{}]$/.test(text))
        .map(({ text, line }) => {
          const match = entry.exec(text);
          if (!match) throw new UnreadableClasses("it is not an entry like 12: 'name',", line);
          const name = (match[2] ?? match[3]).replaceAll(/\\(.)/g, '$1');
          return { index: Number(match[1]), named: { name, line } };
        }),
    ),
};
