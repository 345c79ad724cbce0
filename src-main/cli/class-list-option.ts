import { resolve } from 'node:path';
import { classLists } from '../../src-shared/domain.ts';

/** What an option for class names takes, for its help. */
export const classListHelp = `text, JSON, YAML or CSV file, or ${classLists.join(', ')}`;

/** The same for the service: the name of a built-in list as it is, else an absolute path. */
export const classListInput = (given: string | undefined): string | undefined =>
  given === undefined || given === '' || classLists.some((list) => list === given) ? given : resolve(given);
