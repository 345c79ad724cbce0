import { learnPieces } from '../src-main/text/learn-pieces.ts';
import { bertNetwork } from '../src-main/text/open-bert.ts';
import { untrainedBert } from '../src-main/text/pretraining.ts';
import { openTokenizer } from '../src-main/text/tokenizer.ts';
import { writeBert } from '../src-main/text/write-bert.ts';

/** Writes a folder of an untrained BERT of one layer, up to 64 pieces a text, whose vocabulary knows some texts' characters alone. */
export function writeTinyBert(folder: string, texts: readonly string[]): void {
  const counts = new Map(texts.flatMap((text) => text.split(' ')).map((word) => [word, 1]));
  const settings = { lowercase: false, stripAccents: false, splitIdeographs: true, longestWord: 100 };
  const tokenizer = openTokenizer({ ...settings, vocabulary: learnPieces(counts, 120) });
  const numbers = {
    ...{ vocabulary: tokenizer.settings.vocabulary.length, hidden: 16, layers: 1, heads: 2 },
    ...{ intermediate: 32, positions: 64, segments: 2, epsilon: 1e-12, dropout: 0.1 },
  };
  const network = bertNetwork(numbers);
  const whole = { numbers, network, weights: untrainedBert(network, 1), tokenizer };
  writeBert(folder, { ...whole, purpose: { head: 'masked' }, origin: 'A test' });
}
