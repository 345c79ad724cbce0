import type { Place } from '../../data/locator.ts';
import { hashLocated, readLocated } from '../../data/read-located.ts';

/** SHA-256 of what is at a place, as `hashLocated`. Errors: as `readLocated`. */
export const imageHash = async ({ place }: { place: Place }): Promise<string> =>
  hashLocated(await readLocated(place), place.locator);
