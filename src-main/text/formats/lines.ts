import type { TextFormat } from './format.ts';

export const lines: TextFormat = {
  name: 'lines',
  title: 'Lines',
  help: 'a text in each line that is not empty',
  source: 'Hugging Face datasets, packaged_modules/text',
  is: () => true,
  read: (content) => ({
    samples: content.split(/\r?\n/).flatMap((line, index) => {
      const text = line.trim();
      return text === '' ? [] : [{ text, words: null, label: null, tags: null, line: index + 1 }];
    }),
    facts: '',
    odd: [],
  }),
};
