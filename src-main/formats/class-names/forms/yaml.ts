import { parseDocument, visit } from 'yaml';
import { type ClassForm, UnreadableClasses } from '../form.ts';
import { namesIn } from '../names-in.ts';

/** YAML with names in a list or by index, e.g. the `names:` of an Ultralytics data file. */
export const yaml: ClassForm = {
  title: 'YAML',
  recognizes: ({ extension }) => extension === 'yaml' || extension === 'yml',
  read({ text }) {
    const document = parseDocument(text);
    const [problem] = document.errors;
    if (problem)
      throw new UnreadableClasses(`it is not YAML (${problem.code})`, problem.linePos?.[0].line ?? null);
    // Without aliases: a few lines of them can stand for gigabytes.
    if (aliases(document)) throw new UnreadableClasses('it holds YAML aliases');
    return namesIn(document.toJS({ maxAliasCount: 0 }));
  },
};

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
