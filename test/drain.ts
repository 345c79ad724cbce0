/** Runs a generator to its end, without a rest. */
export function drain<T>(work: Iterator<void, T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}
