import type { CallOutput } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { PredictedText } from '../trainer/protocol.ts';
import type { Context } from './context.ts';
import { existingFile } from './existing-file.ts';
import { mostProbable } from './most-probable.ts';
import { trainedWeights } from './trained-weights.ts';

type Answer = CallOutput<'runs.predict'>[number];

/** Most texts at once. */
const mostTexts = 10_000;

/**
 * What a run's trained network says of texts: those given, and those of files, however these keep them. Errors: `bad-input`
 * where there is none.
 */
export async function predictTexts(
  context: Context,
  run: Run,
  paths: readonly string[],
  given: readonly string[],
): Promise<Answer[]> {
  const { store, jobs, home, reader } = context;
  const weightsPath = trainedWeights(context, run);
  const asked: { path: string; text: string }[] = given.map((text) => ({ path: '', text }));
  for (const path of paths) {
    const file = existingFile(path, 'a file of texts');
    const lines = await reader.read('text-lines', { path: file }, file);
    for (const { line, text } of lines) asked.push({ path: `${path}:${line}`, text });
  }
  if (asked.length === 0)
    throw new CotuneError(
      'bad-input',
      'There is no text to predict.',
      'Give one with --text, or name a file.',
    );
  if (asked.length > mostTexts)
    throw new CotuneError(
      'bad-input',
      `${asked.length} texts are too many at once.`,
      `Give ${mostTexts} at most.`,
    );
  const job = {
    kind: 'predict-texts',
    task: run.task,
    engine: run.config.engine,
    weightsPath,
    longest: run.config.size,
    texts: asked.map(({ text }) => text),
    cacheFolder: home.cache,
  } as const;
  let found: PredictedText[] | undefined;
  await jobs.perform(job, {
    hear: (message) => {
      if (message.type === 'predicted-texts') found = message.texts;
    },
  });
  if (!found) throw new CotuneError('failed', 'The trainer said nothing about these texts.');
  const { targetClasses } = store.runs.record(run.id)!;
  return asked.map(({ path, text }, i): Answer => {
    const said = found![i];
    return 'tags' in said
      ? { path, error: null, text: { text, words: said.words, tags: said.tags }, top: [] }
      : {
          path,
          error: null,
          text: { text, words: null, tags: null },
          top: mostProbable(said.probabilities, targetClasses),
        };
  });
}
