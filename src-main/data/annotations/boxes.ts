import type { Crop } from '../locator.ts';

/**
 * The whole pixels that a box touches: left, top, width, height, the image's corner at 0, 0. Inside `width` × `height` where
 * these are known. Null for a box without an area, or with values that are no numbers.
 */
export function cropOf(
  [left, top, width, height]: readonly number[],
  extents?: { width: number; height: number },
): Crop | null {
  if (!(width > 0 && height > 0) || !Number.isFinite(left + top + width + height)) return null;
  const [x, y] = [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top))];
  const right = Math.min(Math.ceil(left + width), extents?.width ?? Number.MAX_SAFE_INTEGER);
  const bottom = Math.min(Math.ceil(top + height), extents?.height ?? Number.MAX_SAFE_INTEGER);
  return right > x && bottom > y ? [x, y, right - x, bottom - y] : null;
}
