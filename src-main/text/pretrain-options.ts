import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CotuneError } from '../../src-shared/errors.ts';

export const usage = `usage: npm run text:pretrain -- FILE… --out FOLDER [options]

Files are texts in lines, CoNLL’s columns, JSON lines, tables or TREC’s questions; or folders of text files.

  --out FOLDER       where the network goes: config.json, model.safetensors, vocab.txt, tokenizer.json
  --from FOLDER      goes on from a BERT as Hugging Face’s transformers keep it, with its pieces (default: from random weights)
  --minutes M        as many steps as fit into M minutes here, measured before the first (default: --steps)
  --steps N          steps of training (2000)
  --vocabulary N     word pieces to learn (8000)
  --lowercase        pieces without capitals and accents
  --layers N         (4)     --hidden N   (256)     --heads N  (4)
  --length N         most pieces of a text (128)
  --batch-pieces N   pieces of a batch, padding included (2048)
  --rate R           learning rate (1e-3)
  --dropout          drop a tenth of the values while training
  --seed N           (0)
`;

/** What `npm run text:pretrain` is asked for. */
export interface PretrainOptions {
  files: string[];
  out: string;
  /** Folder of a BERT to go on with. */
  from: string | null;
  minutes: number | null;
  steps: number;
  vocabulary: number;
  lowercase: boolean;
  layers: number;
  hidden: number;
  heads: number;
  length: number;
  batchPieces: number;
  rate: number;
  dropout: boolean;
  seed: number;
}

/** [CLS], a piece and [SEP]. */
const shortest = 3;

/**
 * Reads arguments; paths are relative to `folder`. Errors: `bad-input` with what is wrong; null where there is nothing to do.
 */
export function pretrainOptions(args: string[], folder: string): PretrainOptions | null {
  const { values, positionals } = parsed(args);
  if (!values.out || positionals.length === 0) return null;
  const number = (option: NumberOption, accepts: (value: number) => boolean, what: string): number => {
    const value = Number(values[option]);
    if (Number.isFinite(value) && accepts(value)) return value;
    throw new CotuneError('bad-input', `--${option} ${values[option]} is not ${what}.`, `Give ${what}.`);
  };
  const whole = (option: NumberOption, least = 1) =>
    number(
      option,
      (value) => Number.isInteger(value) && value >= least,
      `a whole number of at least ${least}`,
    );
  const positive = (option: NumberOption) => number(option, (value) => value > 0, 'a number above zero');
  const path = (name: string) => resolve(folder, name);
  const options = {
    files: positionals.map(path),
    out: path(values.out),
    from: values.from === undefined ? null : path(values.from),
    minutes: values.minutes === undefined ? null : positive('minutes'),
    steps: whole('steps'),
    vocabulary: whole('vocabulary'),
    lowercase: values.lowercase,
    layers: whole('layers'),
    hidden: whole('hidden'),
    heads: whole('heads'),
    length: whole('length', shortest),
    batchPieces: whole('batch-pieces'),
    rate: positive('rate'),
    dropout: values.dropout,
    seed: whole('seed', 0),
  };
  if (options.hidden % options.heads > 0)
    throw new CotuneError(
      'bad-input',
      `${options.hidden} features cannot be shared by ${options.heads} heads.`,
      'Choose a --hidden that --heads divides.',
    );
  return options;
}

type Values = ReturnType<typeof parsed>['values'];
type NumberOption = Exclude<keyof Values, 'lowercase' | 'dropout' | 'out' | 'from'>;

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        from: { type: 'string' },
        minutes: { type: 'string' },
        steps: { type: 'string', default: '2000' },
        vocabulary: { type: 'string', default: '8000' },
        lowercase: { type: 'boolean', default: false },
        layers: { type: 'string', default: '4' },
        hidden: { type: 'string', default: '256' },
        heads: { type: 'string', default: '4' },
        length: { type: 'string', default: '128' },
        'batch-pieces': { type: 'string', default: '2048' },
        rate: { type: 'string', default: '1e-3' },
        dropout: { type: 'boolean', default: false },
        seed: { type: 'string', default: '0' },
      },
    });
  } catch (error) {
    throw new CotuneError(
      'bad-input',
      `${(error as Error).message}.`,
      'Without arguments it says how it is used.',
      {
        cause: error,
      },
    );
  }
}
