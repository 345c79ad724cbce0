import { type ClassForm, UnreadableClasses } from '../form.ts';
import { namesIn } from '../names-in.ts';

/**
 * JSON: a list of names; an object from index to name, `{"0": "tench"}`; Keras' imagenet_class_index.json,
 * `{"0": ["n01440764", "tench"]}`; an object from name to index, `{"tench": 0}`; any of these under a key of a larger document.
 */
export const json: ClassForm = {
  title: 'JSON',
  recognizes: ({ extension, text }) =>
    extension === 'json' || (/^\s*[[{]/.test(text) && /[\]}]\s*$/.test(text) && parses(text)),
  read({ text }) {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new UnreadableClasses(`it is not JSON (${(error as Error).message})`, lineOfProblem(text, error));
    }
    return namesIn(value);
  },
};

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** JSON.parse names a place as «position 12» or «line 3 column 4». */
function lineOfProblem(text: string, error: unknown): number | null {
  const { message } = error as Error;
  const line = /line (\d+)/.exec(message);
  if (line) return Number(line[1]);
  const position = /position (\d+)/.exec(message);
  return position ? text.slice(0, Number(position[1])).split('\n').length : null;
}
