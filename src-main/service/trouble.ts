const againAfterMs = 60_000;

/** Tells of failures that are tried again every few seconds: each on stderr once, and again where it lasts. */
export function openTrouble(): (error: unknown) => void {
  let told = '';
  let at = 0;
  return (error) => {
    const { message } = error as Error;
    if (message === told && performance.now() - at < againAfterMs) return;
    told = message;
    at = performance.now();
    process.emitWarning(error as Error);
  };
}
