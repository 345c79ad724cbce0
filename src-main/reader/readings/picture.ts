import type { Place } from '../../data/locator.ts';
import { makePicture } from '../../data/picture.ts';

/** A picture for display. Errors: as `makePicture`. */
export const picture = ({
  place,
  size,
}: {
  place: Place;
  size: 'thumb' | 'full';
}): ReturnType<typeof makePicture> => makePicture(place, size);
