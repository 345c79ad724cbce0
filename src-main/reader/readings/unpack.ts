import type { Place } from '../../data/locator.ts';
import { unpack } from '../../data/unpacked.ts';

/** Makes sure that what a place needs is unpacked; tells now and then that it goes on. Errors: as `unpack`. */
export const unpackPlace = (
  { place, unpackedFolder }: { place: Place; unpackedFolder: string },
  tell: (none: null) => void,
): Promise<void> => unpack(place, unpackedFolder, () => tell(null));
