import type { Arrays, Program } from './engine.ts';

/** A program's whole state as constants: of `tensors` those that it has. */
export const constantsOf = ({ state }: Program, tensors: Arrays): Arrays =>
  Object.fromEntries(Object.keys(state).map((name) => [name, tensors[name]]));
