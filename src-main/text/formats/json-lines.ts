import { firstLines, labelOf, type TextFormat, type TextSample, titles } from './format.ts';

const strings = (value: unknown): string[] | null =>
  Array.isArray(value) && value.every((one) => typeof one === 'string' || typeof one === 'number')
    ? value.map(String)
    : null;

function objectOf(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    // A line that is no JSON is told of by whoever reads it.
    return null;
  }
}

function sampleOf(value: Record<string, unknown>, line: number): TextSample | null {
  const first = (names: readonly string[]) => value[names.find((name) => name in value) ?? ''];
  const words = strings(first(titles.words));
  const tags = strings(first(titles.tags));
  if (words)
    return tags && tags.length !== words.length
      ? null
      : { text: words.join(' '), words, label: labelOf(first(titles.label)), tags, line };
  const text = first(titles.text);
  return typeof text === 'string'
    ? { text, words: null, label: labelOf(first(titles.label)), tags: null, line }
    : null;
}

export const jsonLines: TextFormat = {
  name: 'json-lines',
  title: 'JSON lines',
  help: 'an object in each line with `text` and `label`, or `tokens` and `tags`',
  source: 'Hugging Face datasets, packaged_modules/json',
  is: (content) => {
    const lines = firstLines(content);
    return lines.length > 0 && lines.every((line) => line.startsWith('{') && objectOf(line) !== null);
  },
  read(content) {
    const samples: TextSample[] = [];
    const odd: number[] = [];
    for (const [index, line] of content.split(/\r?\n/).entries()) {
      if (line.trim() === '') continue;
      const value = objectOf(line);
      const sample = value && sampleOf(value, index + 1);
      if (sample) samples.push(sample);
      else odd.push(index + 1);
    }
    return { samples, facts: '', odd };
  },
};
