/** Class names by their number in a dataset. One that stands twice is told apart by its number. */
export function byNumber(names: ReadonlyMap<number, string>): Map<number, string> {
  const count = Map.groupBy(names.values(), (name) => name);
  return new Map(
    [...names].map(([number, name]) => [number, count.get(name)!.length > 1 ? `${name} (${number})` : name]),
  );
}

/** Names for classes of which only the numbers are known, all of one length, so that they sort as numbers do. */
export function numbered(numbers: readonly number[]): Map<number, string> {
  const length = String(Math.max(0, ...numbers)).length;
  return new Map(numbers.map((number) => [number, String(number).padStart(length, '0')]));
}
