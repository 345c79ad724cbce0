import type { Command } from 'commander';
import { type CommonOptions, common, runId, withService } from '../session.ts';
import { columns, percent, table } from '../text.ts';
import { unreadImages } from '../unread-images.ts';

export function predictCommand(program: Command): void {
  common(program.command('predict'), [
    'cotune predict 12 photo.jpg',
    'cotune predict 12 incoming/*.jpg --json > predictions.json',
    'cotune predict 12 data/test/unknown',
  ])
    .description("classify images with a run's trained network")
    .argument('<run>', 'number of the run', runId)
    .argument('<image...>', 'image files, or folders of images')
    .action((run: number, paths: string[], options: CommonOptions) =>
      withService(options, async (service) => {
        const predictions = await service.call('runs.predict', { run, paths });
        const rows = predictions.map(({ path, top, error }) =>
          error
            ? [path, '', '', error.message]
            : [
                path,
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
          text: table(columns('image', 'class', '#probability', 'then'), rows),
          error,
        };
      }),
    );
}
