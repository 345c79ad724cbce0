import { firstLines, type TextFormat } from './format.ts';

const line = /^([A-Z]+):(\w+) +(\S.*)$/;

/** Questions with the kind of their answer, of which there are 6 coarse ones. Li and Roth, «Learning Question Classifiers», COLING 2002. */
export const trec: TextFormat = {
  name: 'trec',
  title: 'TREC’s questions',
  help: 'a line `COARSE:fine question` for each; the coarse class is the label',
  source: 'Li and Roth, «Learning Question Classifiers», COLING 2002',
  splitOf: (name) => (/^TREC_10\b/i.test(name) ? 'test' : null),
  is(content) {
    const lines = firstLines(content);
    return lines.length > 0 && lines.every((one) => line.test(one));
  },
  read(content) {
    const odd: number[] = [];
    const samples = content.split(/\r?\n/).flatMap((text, index) => {
      if (text.trim() === '') return [];
      const found = line.exec(text.trim());
      if (!found) odd.push(index + 1);
      return found ? [{ text: found[3], words: null, label: found[1], tags: null, line: index + 1 }] : [];
    });
    return { samples, facts: '', odd };
  },
};
