import { makePicture } from '../../data/picture.ts';

/** A picture for display. Errors: as `makePicture`. */
export const picture = ({
  path,
  size,
}: {
  path: string;
  size: 'thumb' | 'full';
}): ReturnType<typeof makePicture> => makePicture(path, size);
