/** Names that every side spells the same. Free of schemas, so that a page under a strict policy (no eval) can import it. */
export const approaches = ['reverse', 'direct'] as const;
export const engineChoices = ['auto', 'cpu', 'webgpu', 'cuda', 'directml', 'coreml', 'tensorflow'] as const;
export const precisions = ['full', 'mixed'] as const;
/** Sides of the square pictures that a network is given, in pixels. */
export const sides = { low: 32, high: 1024 } as const;
export const splits = ['train', 'val', 'test'] as const;
export const runStatuses = ['queued', 'running', 'finished', 'failed', 'stopped'] as const;
/** Class names that come with the program: what may stand for a file of them. */
export const classLists = ['imagenet-1k'] as const;
export const phases = ['starting', 'data', 'prepare', 'train', 'evaluate'] as const;

/** Path of a sample's picture under a host's origin: `thumb` is at most 256 px on its longer side. */
export const imagePath = (sample: number, size: 'thumb' | 'full'): string => `images/${sample}/${size}`;
/** What can be learned; `tasks.ts` says what each is. */
export const taskNames = ['image-classification', 'text-classification', 'token-classification'] as const;
export type TaskName = (typeof taskNames)[number];
export const temperatureSources = ['fitted', 'metadata', 'typed', 'default'] as const;

/** What a network's description can have that parts of a training need. */
export const layerTraits = [
  'images',
  'batch-norm',
  'blocks',
  'attention',
  'dropout',
  'stochastic-depth',
  'linear-head',
] as const;
