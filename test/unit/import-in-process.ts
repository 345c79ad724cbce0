import { readFacts } from '../../src-main/data/file-facts.ts';
import * as folder from '../../src-main/data/import-folder.ts';

/** `importFolder` with its files read in this very process. */
export const importFolder = (root: string, options: Omit<folder.ImportOptions, 'readFacts'>) =>
  folder.importFolder(root, { ...options, readFacts });
