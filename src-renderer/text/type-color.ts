const series = 6;

/** The color by which a type of entity is told, of those in their order. */
export const typeColor = (types: readonly string[], type: string): string =>
  `var(--series-${(Math.max(0, types.indexOf(type)) % series) + 1})`;
