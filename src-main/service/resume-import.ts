import type { ReadFacts, Resume } from '../data/import-images.ts';
import type { ReadImage } from '../store/read-images.ts';
import type { Store } from '../store/store.ts';

/** Images that are read before they are written down together. */
const together = 500;
const forgottenAfterMs = 30 * 86_400_000;

/**
 * What an import of a folder that was cancelled, or whose process died, has read; and a place for what this one reads. `flush`
 * writes down what is still to be, `end` forgets all of it, since the dataset has it.
 */
export function resumeImport(store: Store, folder: string): Resume & { flush(): void; end(): void } {
  const known = new Map(
    store.readImages
      .all(folder)
      .map(({ locator, facts }) => [locator, JSON.parse(facts) as ReadFacts] as const),
  );
  let waiting: ReadImage[] = [];
  const flush = () => {
    if (waiting.length > 0) store.transaction(() => store.readImages.keep(folder, waiting));
    waiting = [];
  };
  return {
    known,
    keep(locator, read) {
      waiting.push({ locator, facts: JSON.stringify(read) });
      if (waiting.length >= together) flush();
    },
    flush,
    end: () => store.readImages.forget(folder, new Date(Date.now() - forgottenAfterMs).toISOString()),
  };
}
