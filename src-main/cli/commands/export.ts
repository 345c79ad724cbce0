import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type CommonOptions, common, runId, withService } from '../session.ts';

interface Options extends CommonOptions {
  format: 'safetensors' | 'onnx' | 'csv';
  out: string;
  force?: boolean;
}

export function exportCommand(program: Command): void {
  common(program.command('export'), [
    'cotune export 12 --format onnx --out monkeys.onnx',
    'cotune export 12 --format csv --out predictions.csv',
    'cotune export 31 --format safetensors --out names-in-news/',
  ])
    .description('write the trained network with its classes and preprocessing, or its predictions')
    .addHelpText(
      'after',
      `
An ONNX file takes "images", float32 [batch, side, side, 3]: any batch, height × width × channels, red green blue, values
0 … 255; the normalization is inside. It gives "probabilities:out" [batch, classes]. Its metadata and a README beside it
say this with its numbers, and hold five test vectors that \`cotune verify FILE\` runs again.

A network of texts is written into a folder, with its tokenizer: as Hugging Face's transformers keep it (safetensors), or for ONNX
Runtime, whose inputs a README there says.`,
    )
    .argument('<run>', 'number of the run', runId)
    .addOption(
      new Option(
        '--format <name>',
        'safetensors or onnx: the network; csv: the prediction of every image, names exactly as they are',
      )
        .choices(['safetensors', 'onnx', 'csv'])
        .makeOptionMandatory(),
    )
    .requiredOption('--out <path>', 'file to write, or folder of a network of texts')
    .option('--force', 'replace the file where there is one')
    .action((run: number, { format, out, force, ...options }: Options) =>
      withService(options, async (service) => {
        const written = await service.call('runs.export', {
          run,
          format,
          path: resolve(out),
          overwrite: force,
        });
        return {
          json: { run, format, ...written },
          text: `${written.path}: ${(written.bytes / 1e6).toFixed(1)} MB`,
        };
      }),
    );
}
