/** Every place of the app, in the order of the sidebar; `:item` stands for a name or a number. */
export const places = [
  'runs',
  'runs/:item',
  'experiments/:item',
  'datasets',
  'datasets/:item',
  'relationships/:item',
  'models',
  'rankings/:item',
  'compare',
  'system',
] as const;
export type Place = (typeof places)[number];

/** The place that a location's path leads to; of an unknown one the first. */
export function placeOf([screen, item]: readonly string[]): Place {
  const wanted = item === undefined ? screen : `${screen}/:item`;
  return places.find((place) => place === wanted) ?? places[0];
}
