/** What a thumbnail follows from beside the file; `side` is the longer one, in pixels. */
export const thumbnailRecipe = { version: 2, side: 256, format: 'webp', quality: 80 };
