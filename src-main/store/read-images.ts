import type { Db } from './database.ts';

/** What was read of an image: `facts` is what an import keeps, as JSON. */
export interface ReadImage {
  locator: string;
  facts: string;
}

/** What imports that did not end well have read, so that the next one need not read it again. */
export function readImageStore(db: Db) {
  const all = db.prepare<[string], ReadImage>('SELECT locator, facts FROM read_images WHERE folder = ?');
  const insert = db.prepare(
    'INSERT OR REPLACE INTO read_images (folder, locator, facts, read_at) VALUES (?, ?, ?, ?)',
  );
  const forget = db.prepare('DELETE FROM read_images WHERE folder = ? OR read_at < ?');

  return {
    all: (folder: string): ReadImage[] => all.all(folder),
    /** Call inside a transaction. */
    keep(folder: string, images: readonly ReadImage[]): void {
      const now = new Date().toISOString();
      for (const { locator, facts } of images) insert.run(folder, locator, facts, now);
    },
    /** Forgets what was read in a folder, and anywhere before a time (ISO 8601). */
    forget: (folder: string, before: string): void => void forget.run(folder, before),
  };
}
