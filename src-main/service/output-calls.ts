import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { CallOutput, ExportCheck } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { checkOutput, checkOutputFolder } from '../formats/output-file.ts';
import type { Context, Handlers } from './context.ts';
import { existingFile } from './existing-file.ts';
import { imagePaths } from './image-paths.ts';
import { findRun } from './lookup.ts';
import { mostProbable } from './most-probable.ts';
import { predictTexts } from './predict-texts.ts';
import { writePredictionsTable } from './predictions-table.ts';
import { trainedWeights } from './trained-weights.ts';

type Names = 'runs.predict' | 'runs.export' | 'exports.verify';
type Predicted = CallOutput<'runs.predict'>[number];

/** What a run is used for once it is trained. */
export function outputCalls(context: Context): Handlers<Names> {
  const { store, jobs } = context;
  return {
    'runs.predict': async ({ run: id, paths: named, texts }) => {
      const run = findRun(store, id);
      const { takes } = taskNamed(run.task);
      if (takes === 'texts') return predictTexts(context, run, named, texts);
      if (texts.length > 0 || named.length === 0)
        throw new CotuneError(
          'bad-input',
          `Run ${id} is of images.`,
          'Name image files, or folders of images.',
        );
      const weightsPath = trainedWeights(context, run);
      const { targetClasses } = store.runs.record(id)!;
      const paths = await imagePaths(named);
      const found = new Map<string, Predicted>();
      const absolute = paths.map((path) => resolve(path));
      const { engine, size } = run.config;
      const job = {
        kind: 'predict',
        engine,
        weightsPath,
        size,
        paths: absolute,
        cacheFolder: context.home.cache,
      } as const;
      await jobs.perform(job, {
        hear: (message) => {
          if (message.type !== 'predicted') return;
          const { path, error, probabilities } = message;
          found.set(path, {
            path,
            error,
            top: probabilities ? mostProbable(probabilities, targetClasses) : [],
          });
        },
      });
      return paths.map((path, i) => {
        const result = found.get(absolute[i]);
        if (!result) throw new CotuneError('failed', `The trainer said nothing about ${path}.`);
        return { ...result, path };
      });
    },
    'runs.export': async ({ run: id, format, path, overwrite }) => {
      const run = findRun(store, id);
      const file = resolve(path);
      const isFolder = taskNamed(run.task).takes === 'texts' && format !== 'csv';
      if (isFolder) checkOutputFolder(file, overwrite);
      else checkOutput(file, overwrite);
      if (context.home.toStored(file) !== file) {
        throw new CotuneError('bad-input', `${file} is in the data folder.`, 'Name a file elsewhere.');
      }
      if (isFolder) {
        const weightsPath = trainedWeights(context, run);
        await jobs.perform({ kind: 'export-texts', task: run.task, weightsPath, format, folder: file });
        const files = readdirSync(file).map((name) => statSync(join(file, name)).size);
        return { path: file, bytes: files.reduce((sum, bytes) => sum + bytes, 0) };
      }
      if (format === 'csv') {
        await writePredictionsTable(context, run, file);
      } else {
        const weightsPath = trainedWeights(context, run);
        const { size } = run.config;
        const job = {
          kind: 'export',
          weightsPath,
          format,
          size,
          path: file,
          readmePath: readmeBeside(file),
        } as const;
        await jobs.perform(job);
      }
      return { path: file, bytes: statSync(file).size };
    },
    'exports.verify': async ({ path }) => {
      const file = existingFile(path, 'an exported .onnx file');
      let check: ExportCheck | undefined;
      await jobs.perform(
        { kind: 'verify', path: file },
        {
          hear: (message) => {
            if (message.type === 'verified') check = message.check;
          },
        },
      );
      if (!check) throw new CotuneError('failed', `The trainer said nothing about ${file}.`);
      return check;
    },
  };
}

/** Where the contract of an exported file goes. Errors: `bad-input` where something else has that name, which stays. */
function readmeBeside(file: string): string {
  const path = `${file.replace(/\.onnx$/i, '')}.README.md`;
  if (existsSync(path) && !readFileSync(path, 'utf8').startsWith(`# ${basename(file)}\n`))
    throw new CotuneError(
      'bad-input',
      `${path}, where what the file takes and gives would be written, is something else.`,
      'Move it, or choose another name.',
    );
  return path;
}
