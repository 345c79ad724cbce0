import { readFacts } from '../../data/file-facts.ts';
import type { Place } from '../../data/locator.ts';

/** What an import keeps of an image. Errors: as `readFacts`. */
export const imageFacts = ({ place }: { place: Place }): ReturnType<typeof readFacts> => readFacts(place);
