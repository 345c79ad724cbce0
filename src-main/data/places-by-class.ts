/** Places of the images of each class that has some, classes in ascending order, each one's places in the order given. */
export const placesByClass = (labels: ArrayLike<number>, places: Iterable<number>): number[][] =>
  [...Map.groupBy(places, (place) => labels[place])].sort(([a], [b]) => a - b).map(([, own]) => own);
