/** Lets `atOnce` pieces of work run at a time, the others in the order in which they came. */
export function openTurns(atOnce: number) {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return {
    async take<T>(work: () => Promise<T>): Promise<T> {
      if (busy < atOnce) busy++;
      else await new Promise<void>((begin) => waiting.push(begin));
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else busy--;
      }
    },
  };
}
