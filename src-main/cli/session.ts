import { type Command, InvalidArgumentError } from 'commander';
import type { ErrorValue } from '../../src-shared/errors.ts';
import { toErrorValue } from '../../src-shared/errors.ts';
import { defaultHome } from '../hosts/default-home.ts';
import type { QueueScope } from '../service/queue.ts';
import type { Service } from '../service/service.ts';
import type { Job } from '../trainer/protocol.ts';
import { interruptible } from './interrupt.ts';
import { exitCode, printError, printText } from './output.ts';
import { visible } from './visible.ts';

/** Options of every command. */
export interface CommonOptions {
  home: string;
  json?: boolean;
}

/** What a command hands back. */
export interface Answer {
  /** The document for `--json`; undefined where the command printed it already. */
  json: unknown;
  /** The same for people; where it takes its time to write, made when it is printed. */
  text: string | (() => string);
  /** What went wrong although there is an answer; the document then holds it as `error`. */
  error?: ErrorValue | null;
}

/** Adds what every command on a data folder has: `--home`, `--json` and examples at the end of its help. */
export const common = (command: Command, examples: string[]): Command =>
  answering(command.option('--home <dir>', 'data folder', defaultHome), examples);

/** Adds what every command has: `--json` and examples at the end of its help. */
export function answering(command: Command, examples: string[]): Command {
  return command
    .option('--json', 'one JSON document on stdout, nothing else')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

interface ServiceUse {
  /** Which queued runs this process works off. */
  queue?: QueueScope;
  /** The kind of job that the command mostly comes to: a trainer starts, and loads what it needs, while the service opens. */
  job?: Job['kind'];
}

/**
 * Runs one command on the service of its data folder, prints its answer or its error, and sets the exit code: 0,
 * 1 (failed) or 2 (bad usage or input).
 */
export async function withService(
  { queue = 'own', job, ...options }: CommonOptions & ServiceUse,
  work: (service: Service) => Promise<Answer>,
): Promise<void> {
  return answerWith(options, async () => {
    // Loaded here, not above: help and usage errors need not wait for it.
    const { forkTrainer } = await import('../service/fork-trainer.ts');
    const { startAhead } = await import('../service/start-ahead.ts');
    const trainer = job ? startAhead(forkTrainer(), job) : { spawn: forkTrainer(), end: () => {} };
    try {
      const { openService } = await import('../service/service.ts');
      const service = await openService({ home: options.home, spawnTrainer: trainer.spawn, queue });
      try {
        return await interruptible(work(service));
      } finally {
        await service.close();
      }
    } finally {
      trainer.end();
    }
  });
}

/** Does a command's work, prints its answer or its error, and sets the exit code like `withService`. */
export async function answerWith(
  options: Pick<CommonOptions, 'json'>,
  work: () => Promise<Answer>,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await work();
  } catch (error) {
    const value = toErrorValue(error);
    answer = { json: { error: value }, text: '', error: value };
    if (process.env.COTUNE_DEBUG) console.error(error);
  }
  if (answer.error) {
    process.exitCode = exitCode(answer.error);
    printError(answer.error);
  }
  if (options.json && answer.json !== undefined) await printText(JSON.stringify(answer.json, null, 2));
  else if (!options.json)
    await printText(visible(typeof answer.text === 'string' ? answer.text : answer.text()));
  // A job that was under way at an interrupt would keep this process: its trainer ends with us.
  if (answer.error?.code === 'cancelled') process.exit();
}

/** A number from the command line. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.');
  return value;
}

/** A run's number from the command line. */
export function runId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new InvalidArgumentError('A run is named by its number: see `cotune runs`.');
  return Number(text);
}
