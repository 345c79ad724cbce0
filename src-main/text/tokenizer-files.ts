import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CotuneError } from '../../src-shared/errors.ts';
import { explainSystemError } from '../formats/system-error.ts';
import type { TokenizerSettings } from './tokenizer.ts';

/** What is read of a tokenizer.json. */
const File = z.object({
  normalizer: z.object({
    type: z.literal('BertNormalizer'),
    lowercase: z.boolean().default(true),
    strip_accents: z.boolean().nullish(),
    handle_chinese_chars: z.boolean().default(true),
  }),
  pre_tokenizer: z.object({ type: z.literal('BertPreTokenizer') }),
  model: z.object({
    type: z.literal('WordPiece').optional(),
    vocab: z.record(z.string(), z.number().int().nonnegative()),
    unk_token: z.literal('[UNK]').default('[UNK]'),
    continuing_subword_prefix: z.literal('##').default('##'),
    max_input_chars_per_word: z.number().int().positive().default(100),
  }),
});

/** What is read of a tokenizer_config.json, which stands beside a vocab.txt. */
const Config = z.object({
  do_lower_case: z.boolean().optional(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().default(true),
});

/**
 * How the tokenizer in a folder of Hugging Face's cuts texts: from tokenizer.json, else vocab.txt with tokenizer_config.json where
 * there is one; a vocabulary with capitals is otherwise taken for a cased one. Errors: `not-found`; `bad-input` where it is another
 * kind of tokenizer.
 */
export function tokenizerSettings(folder: string): TokenizerSettings {
  const path = (name: string) => join(folder, name);
  if (existsSync(path('tokenizer.json'))) return fromTokenizer(path('tokenizer.json'));
  if (!existsSync(path('vocab.txt')))
    throw new CotuneError(
      'not-found',
      `${folder} has neither tokenizer.json nor vocab.txt.`,
      'Download the tokenizer’s files, too.',
    );
  const vocabulary = textOf(path('vocab.txt'))
    .replace(/\r?\n$/, '')
    .split(/\r?\n/);
  const said = existsSync(path('tokenizer_config.json'))
    ? (Config.safeParse(jsonOf(path('tokenizer_config.json'))).data ?? Config.parse({}))
    : Config.parse({});
  const lowercase = said.do_lower_case ?? !vocabulary.some(hasCapital);
  return {
    vocabulary,
    lowercase,
    stripAccents: said.strip_accents ?? lowercase,
    splitIdeographs: said.tokenize_chinese_chars,
    longestWord: 100,
  };
}

/** Special pieces are written in capitals everywhere. */
const hasCapital = (piece: string): boolean => !piece.startsWith('[') && piece !== piece.toLowerCase();

function fromTokenizer(path: string): TokenizerSettings {
  const { data, error } = File.safeParse(jsonOf(path));
  if (!data)
    throw new CotuneError(
      'bad-input',
      `${path} is no WordPiece tokenizer as BERT has one: ${z.prettifyError(error).replace(/\s*\n\s*/g, ' ')}`,
      'Give the folder of a BERT.',
    );
  const { normalizer, model } = data;
  const entries = Object.entries(model.vocab);
  const vocabulary = new Array<string>(entries.length);
  for (const [piece, id] of entries) vocabulary[id] = piece;
  if (vocabulary.length > entries.length || vocabulary.includes(undefined as never))
    throw new CotuneError(
      'bad-input',
      `${path}: its ${entries.length} pieces are not numbered from 0 on.`,
      'Download it again.',
    );
  return {
    vocabulary,
    lowercase: normalizer.lowercase,
    stripAccents: normalizer.strip_accents ?? normalizer.lowercase,
    splitIdeographs: normalizer.handle_chinese_chars,
    longestWord: model.max_input_chars_per_word,
  };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw explainSystemError(error, { path });
  }
}

/** Errors: `bad-input` where the file is no JSON. */
export function jsonOf(path: string): unknown {
  const text = textOf(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CotuneError(
      'bad-input',
      `${path} is no JSON: ${(error as Error).message}.`,
      'Download it again.',
      { cause: error },
    );
  }
}
