/**
 * Places of points by UMAP, in a thread: what it has is told every few rounds, so that the map is seen to unfold. McInnes, Healy,
 * Melville, «UMAP», 2018.
 */
import { UMAP } from 'umap-js';
import { repeatableRandom } from '../../src-shared/repeatable-random.ts';
import { placesOf } from './places.ts';

export interface UmapTask {
  /** Row-major [rows, components]. */
  values: Float32Array;
  components: number;
}
export interface UmapNews {
  /** Within −1 to 1: [rows, 2]. */
  places: Float32Array;
  done: number;
  total: number;
}

const neighbors = 15;
/** Rounds between two pictures. */
const told = 10;

addEventListener('message', ({ data: { values, components } }: MessageEvent<UmapTask>) => {
  const rows = values.length / components;
  const vectors = Array.from({ length: rows }, (_, i) =>
    Array.from(values.subarray(i * components, (i + 1) * components)),
  );
  // The same points lie the same way every time.
  const random = repeatableRandom(1);
  const umap = new UMAP({ nComponents: 2, nNeighbors: Math.min(neighbors, rows - 1), random });
  const total = umap.initializeFit(vectors);
  for (let done = 1; done <= total; done++) {
    umap.step();
    if (done % told > 0 && done < total) continue;
    const places = placesOf(Float32Array.from(umap.getEmbedding().flat()), 2);
    const news: UmapNews = { places, done, total };
    postMessage(news, { transfer: [places.buffer] });
  }
});
