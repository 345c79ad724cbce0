interface Waiting {
  alone: boolean;
  begin: () => void;
}

const waiting: Waiting[] = [];
let together = 0;
let alone = false;

/**
 * Runs a piece of work with the image library, beside others or alone, in the order of the calls. The library's text of an
 * error is one for the whole process, and whatever ends meanwhile clears it: only alone it is surely this image's.
 * A piece of work must not wait for another.
 */
export async function decoding<T>(how: 'together' | 'alone', work: () => Promise<T>): Promise<T> {
  await new Promise<void>((begin) => {
    waiting.push({ alone: how === 'alone', begin });
    admit();
  });
  try {
    return await work();
  } finally {
    if (how === 'alone') alone = false;
    else together--;
    admit();
  }
}

function admit(): void {
  for (let first = waiting[0]; first && !alone && !(first.alone && together > 0); first = waiting[0]) {
    waiting.shift();
    if (first.alone) alone = true;
    else together++;
    first.begin();
  }
}
