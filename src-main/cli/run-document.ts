import type { Client } from '../../src-shared/contract.ts';
import { datasetSince } from '../../src-shared/dataset-since.ts';
import type { Relationship, RelationshipRow, Run, RunTiming, SplitMetrics } from '../../src-shared/domain.ts';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { methodName } from '../../src-shared/parts.ts';
import { hasSteps } from '../../src-shared/run-settings.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { snakeCase } from './output.ts';
import type { Answer } from './session.ts';
import { columns, percent, seconds, someOf, table } from './text.ts';

/** A run as `--json` prints it. */
export interface RunDocument {
  run: number;
  status: Run['status'];
  [field: string]: unknown;
}

/** The document of one run, as `cotune train --json` prints it. */
export async function runDocument(client: Client, run: Run): Promise<RunDocument> {
  const { config } = run;
  const [notes, relationship, datasets] = await Promise.all([
    client.call('runs.notes', { run: run.id }),
    relationshipOf(client, run),
    client.call('datasets.list', {}),
  ]);
  const since = datasetSince(
    run,
    datasets.find(({ id }) => id === run.datasetId),
  );
  return {
    run: run.id,
    status: run.status,
    method: methodName(config.method),
    dataset: config.dataset,
    dataset_hash: run.datasetHash,
    edits_hash: run.editsHash,
    dataset_since: since,
    model: config.model,
    engine: run.engine?.name ?? null,
    device: run.engine?.device ?? null,
    versions: run.engine?.versions ?? null,
    seed: config.seed,
    rate: config.rate,
    samples: run.samples,
    steps: run.step,
    test: run.test,
    val: run.val,
    suspects: run.suspects,
    suspects_among: run.suspectsAmong,
    relationship: relationship && {
      id: relationship.id,
      approach: relationship.approach,
      C: relationship.C,
      source_temperature: relationship.sourceTemperature,
      temperature_source: relationship.temperatureSource,
      scale: relationship.scale,
    },
    timing: run.timing,
    config: snakeCase(config),
    notes,
    error: run.error,
    checkpoint_step: run.checkpointStep,
    experiment: run.experimentId,
    created_at: run.createdAt,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
  };
}

async function relationshipOf(client: Client, run: Run): Promise<Relationship | null> {
  if (run.relationshipId === null) return null;
  return (await client.call('relationships.get', { relationship: run.relationshipId, top: 1 })).relationship;
}

/** What a command answers that has waited for a run. */
export async function runAnswer(client: Client, run: Run): Promise<Answer> {
  const document = await runDocument(client, run);
  const error =
    run.status === 'finished'
      ? null
      : (run.error ?? toErrorValue(new CotuneError('failed', `Run ${run.id} is ${run.status}.`)));
  return {
    json: { ...document, error },
    text: describeRun(run, document),
    error,
  };
}

/** One run in a few lines. */
export function describeRun(run: Run, document: RunDocument): string {
  const notes = document.notes as string[];
  const { config, samples, timing } = run;
  const task = taskNamed(run.task);
  const large = task.takes === 'images' ? `at ${config.size} px` : `of up to ${config.size} pieces`;
  const lines = [
    `Run ${run.id}: ${methodName(config.method)} of ${config.model} on ${config.dataset}, seed ${config.seed}, ${percent(config.rate, 0)} of the training ${task.samples}`,
    `${samples.train} training, ${samples.val} validation, ${samples.test} test ${task.samples}; ${hasSteps(config) ? `${run.step} of ${config.steps} steps of ${config.batch} ${task.samples}` : 'no training steps,'} ${large}`,
  ];
  const { dataset_since: since } = document;
  lines.push(`Dataset: ${run.datasetHash}${since ? ` (${since})` : ''}`);
  if (run.engine) lines.push(`Engine: ${run.engine.name} (${run.engine.device})`);
  if (timing)
    lines.push(
      `Time: ${seconds(timing.total_s)} (data ${seconds(timing.data_s)}, preparation ${seconds(timing.relationship_s)}${trainingTime(run, timing)}, evaluation ${seconds(timing.evaluate_s)})`,
    );
  if (run.test || run.val) lines.push('', scores(run));
  if (run.suspects)
    lines.push(
      '',
      run.suspectsAmong === 'all'
        ? `${run.suspects} of its ${samples.train + samples.val + samples.test} ${task.samples} have doubtful labels, the likeliest wrong ones first: cotune dataset findings ${config.dataset} --kind wrong-label`
        : `${run.suspects} of its ${samples.test} test ${task.samples} have doubtful labels, the likeliest wrong ones first: cotune dataset check ${config.dataset} --run ${run.id}`,
    );
  if (notes.length > 0) lines.push('', ...someOf(notes, 20));
  if (run.status !== 'finished' && !run.error) lines.push('', `It is ${run.status}.`);
  return lines.join('\n');
}

const trainingTime = (
  { config, task }: Run,
  { train_s, images_per_s, data_wait_share }: RunTiming,
): string =>
  hasSteps(config)
    ? `, training ${seconds(train_s)} at ${images_per_s.toFixed(1)} ${taskNamed(task).samples}/s with ${percent(data_wait_share)} of it waiting for data`
    : '';

function scores(run: Run): string {
  const isTagged = Boolean((run.test ?? run.val)?.entities);
  const row = (name: string, metrics: SplitMetrics | null) =>
    metrics
      ? [
          [
            name,
            ...(metrics.entities
              ? [metrics.entities.f1, metrics.entities.precision, metrics.entities.recall].map((one) =>
                  percent(one),
                )
              : []),
            percent(metrics.accuracy),
            percent(metrics.macro_f1),
            metrics.nll.toFixed(3),
            percent(metrics.ece),
          ],
        ]
      : [];
  const ofEntities = ['#entity F1', '#precision', '#recall', '#accuracy of words', '#mean F1 of types'];
  const ofClasses = ['#accuracy', '#macro F1'];
  const titles = ['split', ...(isTagged ? ofEntities : ofClasses), '#NLL', '#calibration error'];
  return table(columns(...titles), [...row('test', run.test), ...row('val', run.val)]);
}

/** The strongest source classes of each target class, one line each. */
export const relationshipTable = (rows: RelationshipRow[], top: number): string =>
  table(
    columns('target class', '#entropy', 'strongest source classes'),
    rows.map((row) => [
      row.name,
      row.entropy.toFixed(2),
      row.sources
        .slice(0, top)
        .map((source) => `${shortName(source.name)} ${percent(source.p)}`)
        .join(', '),
    ]),
  );

/** ImageNet names its classes by lists of synonyms: the first will do in a table. */
const shortName = (name: string): string => name.split(', ')[0];
