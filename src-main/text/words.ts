/**
 * A text's words as BERT takes them, before they are cut into pieces: white space, punctuation and ideographs divide, control
 * characters go. Devlin et al.'s BasicTokenizer; unlike most others it says where everything came from, counts code points, and keeps
 * characters for private use.
 */

export interface WordRules {
  lowercase: boolean;
  stripAccents: boolean;
  /** Whether every ideograph is a word. */
  splitIdeographs: boolean;
}

/** A word's characters (code points), each with the part [begin, end) of the text that it came from, in UTF-16 units. */
export interface Word {
  characters: string[];
  begins: number[];
  ends: number[];
}

const space = /^[\t\n\r\p{Zs}]$/u;
const removed = /^[\0\ufffd\p{Cc}\p{Cf}]$/u;
const lineSeparator = /^[\u2028\u2029]$/u;
const mark = /^\p{Mn}$/u;
const punctuation = /^[!-/:-@[-`{-~\p{P}]$/u;
const ideograph =
  /^[\u{4e00}-\u{9fff}\u{3400}-\u{4dbf}\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b820}-\u{2ceaf}\u{f900}-\u{faff}\u{2f800}-\u{2fa1f}]$/u;

const empty = (): Word => ({ characters: [], begins: [], ends: [] });

/** The words of a text, in their order. */
export function wordsOf(text: string, rules: WordRules): Word[] {
  return spaced(text, rules)
    .map((word) => normalized(word, rules))
    .flatMap(parted);
}

/** Divided at white space and round ideographs. */
function spaced(text: string, { splitIdeographs }: WordRules): Word[] {
  const words: Word[] = [empty()];
  let at = 0;
  for (const character of text) {
    const begin = at;
    at += character.length;
    if (space.test(character) || lineSeparator.test(character)) words.push(empty());
    else if (!removed.test(character)) {
      const alone = splitIdeographs && ideograph.test(character);
      if (alone) words.push(empty());
      append(words.at(-1)!, character, begin, at);
      if (alone) words.push(empty());
    }
  }
  return words.filter(({ characters }) => characters.length > 0);
}

/** Lower case is that of the whole word: a sigma at its end is another letter. */
function normalized(word: Word, { lowercase, stripAccents }: WordRules): Word {
  const lowered = lowercase ? inLowerCase(word) : word;
  if (!stripAccents) return lowered;
  const stripped = empty();
  for (const [index, character] of lowered.characters.entries())
    for (const part of character.normalize('NFD'))
      if (!mark.test(part)) append(stripped, part, lowered.begins[index], lowered.ends[index]);
  return stripped;
}

function inLowerCase(word: Word): Word {
  const lowered = empty();
  const whole = [...word.characters.join('').toLowerCase()];
  for (const [index, character] of word.characters.entries())
    for (const _ of character.toLowerCase())
      append(lowered, whole[lowered.characters.length], word.begins[index], word.ends[index]);
  return lowered;
}

/** With every punctuation mark a word of its own. */
function parted(word: Word): Word[] {
  const words: Word[] = [];
  let open = false;
  for (const [index, character] of word.characters.entries()) {
    const alone = punctuation.test(character);
    if (alone || !open) words.push(empty());
    append(words.at(-1)!, character, word.begins[index], word.ends[index]);
    open = !alone;
  }
  return words;
}

function append(word: Word, character: string, begin: number, end: number): void {
  word.characters.push(character);
  word.begins.push(begin);
  word.ends.push(end);
}
