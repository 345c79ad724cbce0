/** The thread that makes batches: answers each request with its images, transferred, or with an error. */
import { parentPort } from 'node:worker_threads';
import { toErrorValue } from '../../src-shared/errors.ts';
import { type BatchRequest, makeImages } from './make-images.ts';

const port = parentPort!;

port.on('message', async ({ id, request }: { id: number; request: BatchRequest }) => {
  try {
    const made = await makeImages(request);
    port.postMessage({ id, made }, [made.images.buffer]);
  } catch (error) {
    port.postMessage({ id, error: toErrorValue(error) });
  }
});
