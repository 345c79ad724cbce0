import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CallInput, Task } from '../../src-shared/contract.ts';
import { fetchFromHub } from '../hub/fetch-from-hub.ts';
import { addModel } from './add-model.ts';
import type { Context } from './context.ts';

/** Begins to download a network from a hub; the task's result is the id of the model that it becomes. */
export function fetchModel(context: Context, input: CallInput<'models.fetch'>): Task {
  const { repository, revision = 'main', name = repository.split('/').at(-1)!, classesPath } = input;
  // The environment's token is meant for the environment's hub, and for no other that a page may name.
  const token = input.token ?? (input.endpoint === undefined ? process.env.HF_TOKEN : undefined);
  const endpoint = input.endpoint ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co';
  return context.tasks.start('download', `Download of ${repository}`, async (task) => {
    const { weights, classes, ...configured } = await fetchFromHub(repository, context.home.downloads, {
      endpoint,
      token,
      revision,
      signal: task.signal,
      onProgress: task.progress,
    });
    const model = await addModel(context, {
      path: weights,
      name,
      classesPath: classesPath ?? classes,
      ...configured,
    });
    // What is kept of it lies with the other models now.
    rmSync(dirname(weights), { recursive: true, force: true });
    return model.id;
  });
}
