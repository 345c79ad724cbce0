/** What can be found in a dataset that would spoil a training or a comparison. */

export interface FindingKind {
  readonly name: string;
  readonly title: string;
  /** What it means for a person's results. */
  readonly meaning: string;
  /** A file that was left out, an image or a text, one beside another, or classes. */
  readonly about: 'file' | 'image' | 'pair' | 'class';
  /** When it is looked for: at every import; whenever classes or counts change; by a check with a network. */
  readonly found: 'import' | 'always' | 'check';
}

/** In the order in which a person should look at them. */
export const findingKinds = [
  {
    name: 'broken',
    title: 'Broken',
    meaning: 'Could not be decoded; left out.',
    about: 'file',
    found: 'import',
  },
  {
    name: 'empty',
    title: 'Empty',
    meaning: 'Nothing is in them; left out.',
    about: 'file',
    found: 'import',
  },
  {
    name: 'unsupported',
    title: 'Unsupported',
    meaning: 'Not one of the image formats read here; left out.',
    about: 'file',
    found: 'import',
  },
  {
    name: 'huge',
    title: 'Too large',
    meaning: 'More pixels than can be decoded safely; left out.',
    about: 'file',
    found: 'import',
  },
  {
    name: 'missing-file',
    title: 'Missing',
    meaning: 'A list or table names them, and they are not there; left out.',
    about: 'file',
    found: 'import',
  },
  {
    name: 'bad-row',
    title: 'Rows in error',
    meaning: 'What a list or table says of them cannot be used; left out.',
    about: 'file',
    found: 'import',
  },
  {
    name: 'class-spelling',
    title: 'One class, two spellings',
    meaning: 'Names that differ only by case, accents, blanks, dashes or underscores are likely one class.',
    about: 'class',
    found: 'always',
  },
  {
    name: 'class-missing',
    title: 'Class missing from a split',
    meaning: 'A class that is not trained is never told; one that is not tested counts for nothing.',
    about: 'class',
    found: 'always',
  },
  {
    name: 'imbalance',
    title: 'Imbalance',
    meaning:
      'Classes with many times as much to train on as others outweigh them; of images, sampling by class evens that out.',
    about: 'class',
    found: 'always',
  },
  {
    name: 'single-in-class',
    title: 'Single in its class',
    meaning: 'Too few to train and test on this class.',
    about: 'image',
    found: 'import',
  },
  {
    name: 'extreme-aspect',
    title: 'Extreme shape',
    meaning:
      'So long or tall that a center crop cuts off half of it or more: squash or letterbox show all of it.',
    about: 'image',
    found: 'import',
  },
  {
    name: 'odd-size',
    title: 'Small',
    meaning: 'Pictures of few pixels are blown up, and show the network what they do not have.',
    about: 'image',
    found: 'import',
  },
  {
    name: 'dark',
    title: 'Dark',
    meaning: 'Hardly any light: nothing may be told from them.',
    about: 'image',
    found: 'import',
  },
  {
    name: 'blank',
    title: 'Blank',
    meaning: 'One plain color all over: they show nothing.',
    about: 'image',
    found: 'import',
  },
  {
    name: 'blurred',
    title: 'Blurred',
    meaning: 'No sharp edge at the size of a network’s input: fine differences cannot be seen.',
    about: 'image',
    found: 'import',
  },
  {
    name: 'unusual',
    title: 'Read in an unusual way',
    meaning: 'There are several ways to show these; check that the pictures are right.',
    about: 'image',
    found: 'import',
  },
  {
    name: 'unknown-characters',
    title: 'Unknown characters',
    meaning:
      'Words with characters that are not in the network’s vocabulary: it sees that there is a word, not which.',
    about: 'image',
    found: 'check',
  },
  {
    name: 'too-long',
    title: 'Too long',
    meaning:
      'More pieces than the network takes: of a text with a class the end is cut off, a sentence with tags is read in parts.',
    about: 'image',
    found: 'check',
  },
  {
    name: 'label-conflict',
    title: 'Contradicting labels',
    meaning:
      'The same text with two labels, or with other tags: one of them is wrong, or the text alone does not say which.',
    about: 'pair',
    found: 'import',
  },
  {
    name: 'exact-duplicate',
    title: 'Exact duplicates',
    meaning: 'The same content twice. Between train and test it flatters the figures of the test.',
    about: 'pair',
    found: 'import',
  },
  {
    name: 'near-duplicate',
    title: 'Near duplicates',
    meaning:
      'Pictures that look the same, texts of nearly the same words. Between train and test they flatter the figures of the test.',
    about: 'pair',
    found: 'import',
  },
  {
    name: 'similar',
    title: 'Alike to the network',
    meaning:
      'A network’s features of the two nearly agree, although their pixels differ: other crops, shots in a row, one individual.',
    about: 'pair',
    found: 'check',
  },
  {
    name: 'wrong-label',
    title: 'Likely wrong labels',
    meaning:
      'Networks that have not seen them are sure of another class, or of other tags, than they are given.',
    about: 'image',
    found: 'check',
  },
] as const satisfies readonly FindingKind[];

/** What a person reads for a kind. */
export const findingTitle = (kind: string): string =>
  findingKinds.find(({ name }) => name === kind)?.title ?? kind;

/** `open` until a person has decided: `kept` as it is, or `done` by an edit. */
export const findingStates = ['open', 'kept', 'done'] as const;
