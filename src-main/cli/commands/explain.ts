import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ViewedHead } from '../../../src-shared/contract.ts';
import { type CommonOptions, common, runId, withService } from '../session.ts';
import { columns, percent, table } from '../text.ts';
import { unreadImages } from '../unread-images.ts';

interface Options extends CommonOptions {
  head: ViewedHead;
  class?: string;
  out: string;
  force?: boolean;
}

export function explainCommand(program: Command): void {
  common(program.command('explain'), [
    'cotune explain 12 photo.jpg --out maps',
    "cotune explain 12 data/test/heron --class 'night heron' --out maps",
    'cotune explain 12 photo.jpg --head source --out before',
  ])
    .description('show where a network looks: pictures with class activation maps over them')
    .addHelpText(
      'after',
      `
Writes a PNG of each picture. Bright places speak for the class: by the weights of a linear head on pooled features (CAM,
Zhou et al. 2016), or by gradients where a network has no such head (Grad-CAM, Selvaraju et al. 2017). With --json the maps
themselves, before their negative values are cut off.`,
    )
    .argument('<run>', 'number of the run', runId)
    .argument('<image...>', 'image files, or folders of images')
    .requiredOption('--out <folder>', 'folder for the pictures')
    .addOption(
      new Option(
        '--head <name>',
        'target: the trained network; source: the one that training began with, and its own classes',
      )
        .choices(['target', 'source'])
        .default('target'),
    )
    .option('--class <name>', 'the class to look for; without it the one that is predicted of each image')
    .option('--force', 'replace pictures that are there')
    .action((run: number, paths: string[], { head, class: name, out, force, ...options }: Options) =>
      withService({ ...options, job: 'explain' }, async (service) => {
        const images = await service.call('runs.explain', {
          run,
          head,
          paths,
          label: name,
          out: resolve(out),
          overwrite: force,
        });
        const rows = images.map(({ path, map, error, overlay }) =>
          error ? [path, '', '', error.message] : [path, map!.name, percent(map!.p), overlay!],
        );
        const error = unreadImages(images);
        return {
          json: { run, head, images, error },
          text: table(columns('image', 'class', '#probability', 'written'), rows),
          error,
        };
      }),
    );
}
