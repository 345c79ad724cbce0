/**
 * Places of points by UMAP, in a thread: what it has is told every few rounds, so that the map is seen to unfold. McInnes, Healy,
 * Melville, «UMAP», 2018.
 */
import { repeatableRandom } from '../../src-shared/repeatable-random.ts';
import { placesOf } from './places.ts';
import { fuzzyGraph } from './umap/fuzzy-graph.ts';
import { nearestNeighbors } from './umap/nearest-neighbors.ts';
import { roundsFor, unfold } from './umap/unfold.ts';

export interface UmapTask {
  /** Row-major [rows, components]: principal components, the largest first. */
  values: Float32Array;
  components: number;
}
export interface UmapNews {
  /** Within −1 to 1: [rows, 2]. */
  places: Float32Array;
  done: number;
  total: number;
}

/** Beside the point itself. */
const neighbors = 14;
/** As far from the middle as places are at the beginning, and how far apart equal ones are then. */
const reach = 10;
const apart = 1e-3;
/** Rounds between two pictures. */
const told = 10;

addEventListener('message', ({ data: { values, components } }: MessageEvent<UmapTask>) => {
  const rows = values.length / components;
  const graph = fuzzyGraph(nearestNeighbors(values, components, Math.min(neighbors, rows - 1)));
  // The same points lie the same way every time, and the map unfolds from the picture that is there.
  const random = repeatableRandom(1);
  const places = placesOf(values, components).map((place) => reach * place + apart * (random() - 0.5));
  const total = roundsFor(rows);
  let done = 0;
  for (const _ of unfold(graph, places, total, random)) {
    done++;
    if (done % told > 0 && done < total) continue;
    const news: UmapNews = { places: placesOf(places, 2), done, total };
    postMessage(news, { transfer: [news.places.buffer] });
  }
});
