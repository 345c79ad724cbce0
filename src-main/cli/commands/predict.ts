import type { Command } from 'commander';
import type { CallOutput } from '../../../src-shared/contract.ts';
import { entitiesOf } from '../../../src-shared/entities.ts';
import { type CommonOptions, common, runId, withService } from '../session.ts';
import { columns, percent, table } from '../text.ts';
import { unreadImages } from '../unread-images.ts';

export function predictCommand(program: Command): void {
  common(program.command('predict'), [
    'cotune predict 12 photo.jpg',
    'cotune predict 12 incoming/*.jpg --json > predictions.json',
    'cotune predict 12 data/test/unknown',
    'cotune predict 31 --text "Ada Lovelace went to Turin"',
  ])
    .description("classify images or texts with a run's trained network, or find the entities in sentences")
    .argument('<run>', 'number of the run', runId)
    .argument('[file...]', 'image files, or folders of images; files of texts')
    .option('--text <text...>', 'texts themselves')
    .action((run: number, paths: string[], options: CommonOptions & { text?: string[] }) =>
      withService({ ...options, job: 'predict' }, async (service) => {
        const predictions = await service.call('runs.predict', { run, paths, texts: options.text });
        if (predictions.some(({ text }) => text?.tags))
          return { json: { run, predictions, error: null }, text: predictions.map(taggedText).join('\n') };
        const rows = predictions.map(({ path, text, top, error }) =>
          error
            ? [path, '', '', error.message]
            : [
                text ? text.text : path,
                top[0].name,
                percent(top[0].p),
                top
                  .slice(1, 3)
                  .map(({ name, p }) => `${name} ${percent(p)}`)
                  .join(', '),
              ],
        );
        const error = unreadImages(predictions);
        return {
          json: { run, predictions, error },
          text: table(
            columns(predictions.some(({ text }) => text) ? 'text' : 'image', 'class', '#probability', 'then'),
            rows,
          ),
          error,
        };
      }),
    );
}

/** A text with its entities in brackets: `[Ada Lovelace PER] went to [Turin LOC]`. */
function taggedText({ text }: CallOutput<'runs.predict'>[number]): string {
  const { words, tags } = text!;
  const entities = entitiesOf(tags!);
  const shown = [...words!];
  for (const { type, start, end } of entities) {
    shown[start] = `[${shown[start]}`;
    shown[end - 1] = `${shown[end - 1]} ${type}]`;
  }
  return shown.join(' ');
}
