import { type ClassForm, filledLines } from '../form.ts';

const synset = /^[nvars]\d{8}[\s,:]+(\S.*)$/;

/** ImageNet's synset_words.txt: WordNet's number, then the name, `n01440764 tench, Tinca tinca`. */
export const synsets: ClassForm = {
  title: 'a list of synsets',
  recognizes: (file) => {
    const lines = filledLines(file);
    return lines.length > 1 && lines.every(({ text }) => synset.test(text));
  },
  read: (file) => filledLines(file).map(({ text, line }) => ({ name: synset.exec(text)![1], line })),
};
