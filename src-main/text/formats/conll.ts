import { isConll, readConll, schemeOf } from '../conll.ts';
import type { TextFormat } from './format.ts';

export const conll: TextFormat = {
  name: 'conll',
  title: 'CoNLL’s columns',
  help: 'a word in each line with its tag in the last column, sentences divided by empty lines',
  source: 'Tjong Kim Sang and De Meulder, «Introduction to the CoNLL-2003 Shared Task», CoNLL 2003',
  // As in the shared tasks.
  splitOf: (name) => (/testa$/i.test(name) ? 'val' : /testb$/i.test(name) ? 'test' : null),
  is: isConll,
  read(content) {
    const odd: number[] = [];
    const sentences = readConll(content, (line) => odd.push(line));
    const documents = sentences.filter(({ opensDocument }) => opensDocument).length;
    return {
      samples: sentences.map(({ words, tags, line }) => ({
        text: words.join(' '),
        words,
        label: null,
        tags,
        line,
      })),
      facts: `${schemeOf(sentences)} tags, ${documents} document${documents === 1 ? '' : 's'}`,
      odd,
    };
  },
};
