import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { CotuneError } from '../../src-shared/errors.ts';

/** A file that is to arrive whole. */
export interface Remote {
  url: string;
  headers: Record<string, string>;
  /** Bytes. */
  size: number;
  /** What the hub says of its content: SHA-256 of it, or SHA-1 of it as git hashes it. */
  digest: { kind: 'sha256' | 'git'; hex: string };
}

const attempts = 5;
/** A connection that says nothing for so long is cut and taken up again. */
const silenceMs = 30_000;

/**
 * Downloads a file beside its final name and renames it once its content is what the hub says. What was there of it
 * before, and what a cut connection has left, is gone on with. Errors: `unavailable` where the connection does not last or the
 * content stays wrong. Throws the reason of `signal` where that ends it; what has arrived stays.
 */
export async function download(
  remote: Remote,
  path: string,
  onBytes: (done: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (
    existsSync(path) &&
    statSync(path).size === remote.size &&
    (await digestOf(remote, path)) === remote.digest.hex
  )
    return onBytes(remote.size);
  const part = `${path}.part`;
  let failure: unknown;
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      signal?.throwIfAborted();
      await append(remote, part, onBytes, signal);
      if ((await digestOf(remote, part)) === remote.digest.hex) return await rename(part, path);
      failure = new Error('its content is not what the hub says that it is');
      // Wrong bytes cannot be gone on with.
      await rm(part, { force: true });
    } catch (error) {
      if (error instanceof CotuneError || signal?.aborted) throw error;
      failure = error;
    }
    await new Promise((wake) => setTimeout(wake, 100 * 2 ** attempt));
  }
  throw new CotuneError(
    'unavailable',
    `${remote.url} could not be downloaded: ${reason(failure)}.`,
    'Try again: what has arrived is kept.',
    { cause: failure },
  );
}

async function append(
  { url, headers, size }: Remote,
  part: string,
  onBytes: (done: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  let done = existsSync(part) ? statSync(part).size : 0;
  if (done > size) {
    await rm(part);
    done = 0;
  }
  if (done === size) return;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(new Error('it said nothing any more')), silenceMs);
  const range: Record<string, string> = done > 0 ? { range: `bytes=${done}-` } : {};
  const ends = signal ? AbortSignal.any([silence.signal, signal]) : silence.signal;
  const file = await open(part, 'a');
  try {
    const answer = await fetch(url, { headers: { ...headers, ...range }, signal: ends });
    refuseStatus(answer, url);
    // A server that does not know ranges begins again.
    if (answer.status === 200 && done > 0) {
      await file.truncate(0);
      done = 0;
    }
    for await (const chunk of answer.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(new Error('it said nothing any more')), silenceMs);
      done += chunk.length;
      if (done > size) throw new Error('it sends more than it said');
      await file.writeFile(chunk);
      onBytes(done);
    }
    await file.sync();
    if (done < size) throw new Error(`it ended after ${done} of ${size} bytes`);
  } finally {
    clearTimeout(timer);
    await file.close();
  }
}

/** Errors: what a person can mend; anything else is thrown as what may pass by itself. */
export function refuseStatus({ status }: Response, url: string): void {
  if (status === 200 || status === 206) return;
  if (status === 401 || status === 403)
    throw new CotuneError(
      'bad-input',
      `${url} is not open to you (status ${status}).`,
      'Check the name. A repository of your own, or one with terms to accept, needs a token (--token, HF_TOKEN).',
    );
  if (status === 404)
    throw new CotuneError('not-found', `There is no ${url}.`, 'Check the name: OWNER/REPOSITORY.');
  throw new Error(`status ${status}`);
}

/** Errors of the network in words: which name was not found, what refused. */
export const reason = (error: unknown): string => {
  const { cause, message } = error as Error;
  return cause instanceof Error && cause.message ? cause.message : message;
};

async function digestOf({ digest, size }: Remote, path: string): Promise<string> {
  const hash = createHash(digest.kind === 'git' ? 'sha1' : 'sha256');
  if (digest.kind === 'git') hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}
