import { CotuneError } from '../../src-shared/errors.ts';

/** Images that turn out to be unusable after their import. Work goes on without them. */
export interface UnusableImages {
  has(path: string): boolean;
  /** Leaves an image out for a reason. Throws the reason where it is none of the image's own, and where too many are left out. */
  add(path: string, reason: unknown): void;
}

/** For work that needs each of its images: the first that cannot be used ends it. */
export const everyImage: UnusableImages = {
  has: () => false,
  add(_, reason) {
    throw reason;
  },
};

/** So many are told by name. */
const named = 20;

/** Leaves out up to a tenth of so many images (one at least), and tells of each once. */
export function leaveOut(images: number, tell: (note: string) => void): UnusableImages {
  const most = Math.max(1, Math.floor(images / 10));
  const reasons = new Map<string, CotuneError>();
  return {
    has: (path) => reasons.has(path),
    add(path, reason) {
      if (!isOfImage(reason)) throw reason;
      if (reasons.has(path)) return;
      reasons.set(path, reason);
      if (reasons.size > most) {
        const [first] = reasons.values();
        throw new CotuneError(
          'bad-input',
          `${reasons.size} of ${images} images can no longer be used, too many to go on without them. ${first.message}`,
          first.hint,
        );
      }
      if (reasons.size <= named) tell(`${reason.message} It is left out.`);
      else if (reasons.size === named + 1)
        tell('More images cannot be used; they are left out without being named.');
    },
  };
}

/** Whether an error of reading an image is about that image: gone, changed or damaged. */
const isOfImage = (error: unknown): error is CotuneError =>
  error instanceof CotuneError && (error.code === 'not-found' || error.code === 'bad-input');
