import { type Command, Option } from 'commander';
import type { BenchRequest } from '../../../src-shared/bench.ts';
import { engineChoices } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { architectureNames } from '../../backbones/registry.ts';
import { waitsFor } from '../await-work.ts';
import { describeBench } from '../bench-text.ts';
import { onInterrupt } from '../interrupt.ts';
import { openProgress } from '../progress.ts';
import { answering, answerWith, type CommonOptions, common, number } from '../session.ts';

/** The options of one kind of bench: what it is asked, and what every command has. */
type Options<What extends BenchRequest['what']> = Omit<Extract<BenchRequest, { what: What }>, 'what'> &
  CommonOptions;

export function benchCommand(program: Command): void {
  const bench = program.command('bench').description('measure a part of the program on this machine');
  stepOptions(bench, 'train', [
    'cotune bench train --model resnet50 --batch 8 --size 224',
    'cotune bench train --model mobilenet_v2 --batch 32 --size 128 --frozen 2 --engine cpu --json',
    'cotune bench train --model resnet18 --batch 16 --profile',
  ])
    .description(
      'training steps of plain fine-tuning, for 1,000 classes of images or to tag texts, on a synthetic batch in memory',
    )
    .option('--frozen <stages>', 'train only the stages after so many (of 4) and the stem', number, 0)
    .action((options: Options<'train'>) =>
      run({ what: 'train', ...stepRequest(options), frozen: options.frozen }, options),
    );
  stepOptions(bench, 'infer', [
    'cotune bench infer --model resnet50 --batch 8 --size 224',
    'cotune bench infer --model mnv2 --batch 32 --size 128 --json',
  ])
    .description(
      'a batch in evaluation mode, at most 16 images at once as in evaluations, synthetic and in memory',
    )
    .action((options: Options<'infer'>) => run({ what: 'infer', ...stepRequest(options) }, options));

  answering(bench.command('relationship'), [
    'cotune bench relationship --samples 3000 --sources 1000 --targets 200',
  ])
    .description('learning a relationship (reverse approach, the whole grid of C) from made-up logits')
    .option('--samples <n>', 'training images', number, 3000)
    .option('--sources <n>', 'source classes', number, 1000)
    .option('--targets <n>', 'target classes', number, 200)
    .option('--rounds <n>', 'how often it is measured', number, 3)
    .action(({ samples, sources, targets, rounds, json }: Options<'relationship'>) =>
      run({ what: 'relationship', samples, sources, targets, rounds }, { json }),
    );

  common(bench.command('data'), ['cotune bench data --dataset monkeys --size 128'])
    .description("from a dataset's image files to augmented training batches")
    .requiredOption('--dataset <name>', 'an imported dataset')
    .option('--size <px>', 'side of the square crop', number, 224)
    .option('--batch <n>', 'images per step', number, 32)
    .option('--steps <n>', 'batches per round, of which there are five after a warm-up', number, 10)
    .action(({ dataset, size, batch, steps, ...options }: Options<'data'>) =>
      run({ what: 'data', dataset, size, batch, steps }, options),
    );

  answering(bench.command('store'), ['cotune bench store', 'cotune bench store --samples 10000 --json'])
    .description("writing runs' curves and predictions, and reading history meanwhile, in a temporary folder")
    .option('--steps <n>', 'training steps of a run', number, 2000)
    .option('--samples <n>', 'images that a run is tested on', number, 1000)
    .option('--targets <n>', 'target classes', number, 100)
    .option('--rounds <n>', 'runs', number, 5)
    .action(({ steps, samples, targets, rounds, json }: Options<'store'>) =>
      run({ what: 'store', steps, samples, targets, rounds }, { json }),
    );
}

const stepOptions = (bench: Command, name: string, examples: string[]): Command =>
  common(bench.command(name), examples)
    .option(
      '--model <name>',
      `${architectureNames().join(', ')} (random weights), or a registered network`,
      'resnet50',
    )
    .option('--batch <n>', 'images, or texts, per step', number, 8)
    .option(
      '--size <n>',
      'side of the square images in pixels (default: 224), or pieces of each text (default: 128)',
      number,
    )
    .option('--steps <n>', 'steps measured, after two to warm up', number, 5)
    .addOption(
      new Option('--engine <name>', 'what runs the network').choices([...engineChoices]).default('auto'),
    )
    .option('--profile', 'time by operator; measuring it slows the steps a little');

/** What is asked of a step, without the options that every command has. */
const stepRequest = ({ model, batch, size, steps, engine, profile = false }: Options<'infer'>) => ({
  model,
  batch,
  size,
  steps,
  engine,
  profile,
});

/** Measures, in a process of its own where drivers or memory could end it. */
const run = (request: BenchRequest, options: Partial<CommonOptions>): Promise<void> =>
  answerWith(options, async () => {
    const { bench } = await import('../../service/bench.ts');
    const { forkTrainer } = await import('../../service/fork-trainer.ts');
    const progress = openProgress();
    const stopping = new AbortController();
    const endInterrupt = onInterrupt('Stopping after this step…', () =>
      stopping.abort(new CotuneError('cancelled', 'Interrupted.')),
    );
    try {
      const result = await bench(request, {
        home: options.home ?? '',
        spawnTrainer: forkTrainer(),
        onProgress: (label, done, total) => progress.update(label, done, total),
        onWait: (what) => what !== null && progress.say(waitsFor(what)),
        signal: stopping.signal,
      });
      return { json: result, text: describeBench(result) };
    } finally {
      endInterrupt();
      progress.end();
    }
  });
