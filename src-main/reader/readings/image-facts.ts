import { readFacts } from '../../data/file-facts.ts';

/** What an import keeps of an image file. Errors: as `readFacts`. */
export const imageFacts = ({ path }: { path: string }): ReturnType<typeof readFacts> => readFacts(path);
