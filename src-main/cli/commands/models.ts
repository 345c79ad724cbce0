import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Model, Preprocessing } from '../../../src-shared/domain.ts';
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import { inputSize } from '../../../src-shared/input-size.ts';
import { modelNameOf } from '../../../src-shared/model-name.ts';
import { architectureNames } from '../../backbones/registry.ts';
import type { Service } from '../../service/service.ts';
import { awaitTask } from '../await-work.ts';
import { classListHelp, classListInput } from '../class-list-option.ts';
import { snakeCase } from '../output.ts';
import { openProgress } from '../progress.ts';
import { type Answer, type CommonOptions, common, number, withService } from '../session.ts';
import { columns, table } from '../text.ts';

interface AddOptions extends CommonOptions {
  name?: string;
  dryRun?: boolean;
  classes?: string;
  architecture?: Model['architecture'];
  padding?: Model['padding'];
  inputSize?: number;
  resizeShorter?: number;
  mean?: string;
  std?: string;
}

export function modelsCommand(program: Command): void {
  const models = program.command('models').description('list the pre-trained networks, add or delete one');
  common(models.command('list', { isDefault: true }), ['cotune models', 'cotune models --json'])
    .description('list the pre-trained networks')
    .action(list);
  common(models.command('add <path>'), [
    'cotune models add mobilenet_v2.safetensors --classes imagenet.txt --name mnv2',
    'cotune models add bert-base-cased/ --name bert',
    'cotune models add squeezenet1_1.pth --classes imagenet-1k --name squeeze',
    'cotune models add r50.safetensors --name r50 --architecture resnet50 --input-size 224 --resize-shorter 256',
  ])
    .description(
      'register a pre-trained network from a safetensors, PyTorch or ONNX file (names of torchvision, timm or transformers), or a BERT from its folder',
    )
    .option('--name <name>', 'name of the network (default: that of the file)')
    .option('--dry-run', 'only say what the file is and which tensor is taken for which')
    .option('--classes <file>', `source class names: ${classListHelp} (default: the file's metadata)`)
    .option(
      '--architecture <name>',
      `${architectureNames().join(', ')}, or what another library calls it (default: told by the file)`,
    )
    .addOption(new Option('--padding <kind>', "default: the file's metadata").choices(['symmetric', 'same']))
    .option('--input-size <px>', 'side of the crop it was trained on', number)
    .option('--resize-shorter <px>', 'shorter side before the center crop', number)
    .option('--mean <r,g,b>', 'subtracted from channels in [0,1]')
    .option('--std <r,g,b>', 'divides what remains')
    .action(add);
  common(models.command('fetch <repository>'), [
    'cotune models fetch timm/resnet50.a1_in1k',
    'HF_ENDPOINT=https://hub.example.org cotune models fetch me/private --name mine',
  ])
    .description('download a pre-trained network from the Hugging Face hub, and register it')
    .option('--name <name>', 'name of the network (default: that of the repository)')
    .option('--revision <name>', 'branch, tag or commit', 'main')
    .option('--classes <file>', `source class names: ${classListHelp} (default: its configuration's)`)
    .option('--endpoint <url>', 'the hub (default: HF_ENDPOINT, else https://huggingface.co)')
    .option('--token <token>', 'for repositories that are not open to everyone (default: HF_TOKEN)')
    .action(fetchCommand);
  common(models.command('delete <model>'), ['cotune models delete mnv2'])
    .description('forget a network; runs made with it stay')
    .action((model: string, options: CommonOptions) =>
      withService(options, async (service) => {
        await service.call('models.delete', { model });
        return { json: { deleted: model }, text: `${model} is deleted.` };
      }),
    );
}

const list = (options: CommonOptions): Promise<void> =>
  withService(options, async (service) => {
    const models = await service.call('models.list', {});
    const rows = models.map((model) => [
      model.name,
      model.architecture,
      `${model.sourceClasses.length}`,
      millions(model.parameters),
      inputSize(model),
    ]);
    const text = rows.length
      ? table(columns('model', 'architecture', '#source classes', '#parameters', '#input'), rows)
      : 'No networks yet. Add one: cotune models add FILE --name NAME --classes CLASSES.txt';
    return { json: models.map(snakeCase), text };
  });

const add = (file: string, options: AddOptions): Promise<void> =>
  withService(options, async (service) => {
    const { classes, architecture, padding } = options;
    if (options.dryRun) return dryRun(service, resolve(file), architecture);
    const name = options.name ?? modelNameOf(resolve(file));
    const model = await service.call('models.add', {
      path: resolve(file),
      name,
      classesPath: classListInput(classes),
      architecture,
      padding,
      preprocessing: preprocessingOf(options),
    });
    return { json: snakeCase(model), text: described(model) };
  });

function described(model: Model): string {
  const facts = [
    model.architecture,
    model.sourceClasses.length > 0 ? `${model.sourceClasses.length} source classes` : 'no source head',
    `${millions(model.parameters)} parameters`,
    `input ${inputSize(model)}`,
  ];
  return [`${model.name}: ${facts.join(', ')}`, ...model.notes].join('\n');
}

interface FetchOptions extends CommonOptions {
  name?: string;
  revision: string;
  classes?: string;
  endpoint?: string;
  token?: string;
}

const fetchCommand = (repository: string, options: FetchOptions): Promise<void> =>
  withService(options, async (service) => {
    const { name, revision, classes, endpoint } = options;
    const id = await awaitTask(
      service,
      () =>
        service.call('models.fetch', {
          repository,
          name,
          revision,
          classesPath: classListInput(classes),
          endpoint,
          token: options.token ?? (process.env.HF_TOKEN || undefined),
        }),
      openProgress(),
    );
    const model = (await service.call('models.list', {})).find((known) => known.id === id)!;
    return { json: snakeCase(model), text: described(model) };
  });

/** What a file is, tensor by tensor; a file that is no known network is an error with the list. */
async function dryRun(service: Service, path: string, architecture: string | undefined): Promise<Answer> {
  const mapping = await service.call('models.inspect', { path, architecture });
  const head = mapping.classes > 0 ? `a head of ${mapping.classes} classes` : 'no source head';
  const title = mapping.differs
    ? `${path} is nearest to ${mapping.architecture}, from which it differs: ${mapping.differs}.`
    : `${path} is a ${mapping.architecture} with ${head}.`;
  const rows = mapping.tensors.map(({ file, network, shape }) => [file, network ?? '–', shape.join(' × ')]);
  const error = mapping.differs
    ? toErrorValue(new CotuneError('bad-input', title, 'Nothing was added.'))
    : null;
  return {
    json: { path, ...mapping, error },
    text: `${error ? '' : `${title}\n`}${table(columns('tensor in the file', 'in the network', '#shape'), rows)}`,
    error,
  };
}

const millions = (count: number): string => `${(count / 1e6).toFixed(1)} M`;

function preprocessingOf(options: AddOptions): Partial<Preprocessing> | undefined {
  const given = {
    inputSize: options.inputSize,
    resizeShorter: options.resizeShorter,
    mean: options.mean === undefined ? undefined : triple('--mean', options.mean),
    std: options.std === undefined ? undefined : triple('--std', options.std),
  };
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return present.length > 0 ? Object.fromEntries(present) : undefined;
}

function triple(flag: string, text: string): [number, number, number] {
  const values = text.split(',').map(Number);
  if (values.length !== 3 || values.some((value) => !Number.isFinite(value)))
    throw new CotuneError(
      'bad-input',
      `${flag} ${text} is not three numbers.`,
      `Write it as ${flag} 0.485,0.456,0.406.`,
    );
  return values as [number, number, number];
}
