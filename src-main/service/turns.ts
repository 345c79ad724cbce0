/** Lets `atOnce` pieces of work run at a time, the others in the order in which they came. */
export function openTurns(atOnce: number) {
  const waiting: (() => void)[] = [];
  let busy = 0;

  /** The next turn, or the signal's reason where that comes first. */
  const turn = (signal?: AbortSignal) =>
    new Promise<void>((begin, refuse) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(come), 1);
        refuse(signal!.reason);
      };
      const come = () => {
        signal?.removeEventListener('abort', leave);
        begin();
      };
      waiting.push(come);
      signal?.addEventListener('abort', leave);
    });

  return {
    isFree: (): boolean => busy < atOnce,
    /** What is still waiting when `signal` comes does not begin: it is rejected with the signal's reason. */
    async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      if (busy < atOnce) busy++;
      else await turn(signal);
      try {
        signal?.throwIfAborted();
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else busy--;
      }
    },
  };
}
