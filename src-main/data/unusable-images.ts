import { CotuneError } from '../../src-shared/errors.ts';

/** Images that turn out to be unusable after their import. Work goes on without them. */
export interface UnusableImages {
  has(path: string): boolean;
  /** Leaves an image out for a reason. Throws the reason where it is none of the image's own, and where too many are left out. */
  add(path: string, reason: unknown): void;
  /** How many are left out, and which, for a result; empty where all can be used. */
  notes(): string[];
}

/** For work that needs each of its images: the first that cannot be used ends it. */
export const everyImage: UnusableImages = {
  has: () => false,
  add(_, reason) {
    throw reason;
  },
  notes: () => [],
};

/** So many are told by name. */
const named = 20;

interface LabeledImage {
  path: string;
  label: number;
}

/**
 * Leaves out up to a tenth of some images (one at least), and tells of each once. Of the images in `learned`, what work learns
 * from, one of every class has to stay.
 */
export function leaveOut(
  images: readonly LabeledImage[],
  {
    learned = images,
    tell = () => {},
  }: { learned?: readonly LabeledImage[]; tell?: (note: string) => void } = {},
): UnusableImages {
  const most = Math.max(1, Math.floor(images.length / 10));
  const reasons = new Map<string, CotuneError>();
  const labels = new Map(learned.map(({ path, label }) => [path, label]));
  const left = new Map<number, number>();
  for (const { label } of learned) left.set(label, (left.get(label) ?? 0) + 1);

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
          `${reasons.size} of ${images.length} images can no longer be used, too many to go on without them. ${first.message}`,
          first.hint,
        );
      }
      const label = labels.get(path);
      if (label !== undefined) {
        const rest = left.get(label)! - 1;
        left.set(label, rest);
        if (rest === 0)
          throw new CotuneError(
            'bad-input',
            `No image of a class can be used any more. ${reason.message}`,
            reason.hint,
          );
      }
      if (reasons.size <= named) tell(`${reason.message} It is left out.`);
      else if (reasons.size === named + 1)
        tell('More images cannot be used; they are left out without being named.');
    },
    notes() {
      if (reasons.size === 0) return [];
      // Not in the order in which threads found them.
      const told = Array.from(reasons.values(), ({ message }) => message)
        .sort()
        .slice(0, named);
      const [are, rest] = [reasons.size === 1 ? 'is' : 'are', reasons.size - told.length];
      return [
        `${reasons.size} of ${images.length} images ${are} left out, which can no longer be used.`,
        ...told,
        ...(rest > 0 ? [`And ${rest} more.`] : []),
      ];
    },
  };
}

/** Whether an error of reading an image is about that image: gone, changed or damaged. */
const isOfImage = (error: unknown): error is CotuneError =>
  error instanceof CotuneError && (error.code === 'not-found' || error.code === 'bad-input');
