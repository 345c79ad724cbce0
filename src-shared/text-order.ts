/** The order of texts by their UTF-16 units, as `sort` has it without a comparison: the same on every machine. */
export const textOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The same of what has a path. */
export const byPath = (a: { path: string }, b: { path: string }): number => textOrder(a.path, b.path);
