/** Numbers that the outputs of one split may have: their softmax is of double precision, and what is learned of them has copies. */
const mostNumbers = 32_000_000;

/** How many rows of a split are looked at, at most, where each has so many outputs. */
export const mostLabeled = (outputs: number): number => Math.floor(mostNumbers / outputs);
