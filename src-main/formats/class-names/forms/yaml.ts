import { parseDocument, visit } from 'yaml';
import { type ClassForm, UnreadableClasses } from '../form.ts';
import { namesIn } from '../names-in.ts';

/** YAML with names in a list or by index, e.g. the `names:` of an Ultralytics data file. */
export const yaml: ClassForm = {
  title: 'YAML',
  recognizes: ({ extension }) => extension === 'yaml' || extension === 'yml',
  read({ text }) {
    const document = parse(text);
    const [problem] = document.errors;
    if (problem)
      throw new UnreadableClasses(`it is not YAML (${problem.code})`, problem.linePos?.[0].line ?? null);
    // Without aliases: a few lines of them can stand for gigabytes.
    if (aliases(document)) throw new UnreadableClasses('it holds YAML aliases');
    return namesIn(document.toJS({ maxAliasCount: 0 }));
  },
};

/** Throws `UnreadableClasses` where the text is nested too deep for the parser's stack. */
function parse(text: string): ReturnType<typeof parseDocument> {
  try {
    return parseDocument(text);
  } catch (error) {
    throw new UnreadableClasses(`it is not YAML (${(error as Error).message})`);
  }
}

function aliases(document: ReturnType<typeof parseDocument>): boolean {
  let found = false;
  visit(document, {
    Alias() {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}
