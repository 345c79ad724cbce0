import type { FromTrainer } from './protocol.ts';

/** Seconds after which a pass knows how long it will take. */
const measuredSeconds = 2;

/** Ends a pass over images by its `signal` as soon as its progress tells that it will take more than so many `seconds`. */
export function giveUpAfter(seconds: number, report: (message: FromTrainer) => void) {
  const tooLong = new AbortController();
  const began = performance.now();
  let first: number | null = null;
  let expected: number | null = null;
  return {
    signal: tooLong.signal,
    /** Seconds that the rest would have taken; null as long as it goes on. */
    expected: () => expected,
    report(message: FromTrainer) {
      report(message);
      if (message.type !== 'progress') return;
      const { done, total } = message;
      first ??= done;
      if (done === first) return;
      const spent = (performance.now() - began) / 1000;
      const rest = (spent * (total - done)) / (done - first);
      if (done === total || spent < measuredSeconds || spent + rest <= seconds) return;
      expected = rest;
      tooLong.abort(new Error('The features of the images would take too long.'));
    },
  };
}
