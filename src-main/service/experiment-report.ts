import { accuracyFigure } from '../../src-shared/accuracy-figure.ts';
import type { ExperimentResults, MetricSeries } from '../../src-shared/contract.ts';
import type { Relationship, RelationshipRow, Run } from '../../src-shared/domain.ts';
import { accuracyText, inPercent, rateTitle, tableRows } from '../../src-shared/experiment-table.ts';
import { lineFigure } from '../../src-shared/line-figure.ts';
import { escapeMarkup as text } from '../../src-shared/markup.ts';
import { configText } from '../../src-shared/run-settings.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { reportStyle } from './report-style.ts';

/** What a report tells. */
export interface ReportData {
  results: ExperimentResults;
  /** Runs with the chosen settings that have finished, with their curves. */
  finals: { run: Run; curves: MetricSeries }[];
  /** Relationships that they were trained with, the strongest source classes of each target class. */
  relationships: { relationship: Relationship; method: string; rows: RelationshipRow[] }[];
  /** The machine and the program that write it. */
  environment: Record<string, string>;
}

/** The report as one HTML file that needs nothing else, a network least of all. */
export function experimentReport(data: ReportData): string {
  const { results, environment } = data;
  const { experiment, state, verdicts } = results;
  const score = scoreOf(results);
  const sections = [
    `<h1>${text(experiment.name)}</h1><p class="dim">Experiment ${experiment.id} of ${text(experiment.createdAt)}, ${state}.</p>`,
    section(
      `${score[0].toUpperCase()}${score.slice(1)} by share of the training data`,
      `<div class="figure">${accuracyFigure(results) ?? '<p>No test result yet.</p>'}</div>${accuracyTable(results)}`,
    ),
    section(
      'What the comparisons say',
      verdicts.length === 0
        ? '<p>Nothing can be compared yet.</p>'
        : list(verdicts.map(({ rate, verdict }) => `${rateTitle(rate)}: ${verdict}`)),
    ),
    section('Plan', facts(planFacts(results))),
    section('Data and networks', facts(hashes(data))),
    section('Environment', facts({ ...engines(data), ...environment })),
    section('What was tried, and what it took', results.cells.map((cell) => tried(results, cell)).join('')),
    section(`Validation ${score} by step`, curves(data)),
    ...(data.relationships.length > 0
      ? [section('Relationships', data.relationships.map(relationshipCard).join(''))]
      : []),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${text(experiment.name)}</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
${sections.join('\n')}
</main>
</body>
</html>
`;
}

const section = (title: string, inside: string): string =>
  `<section><h2>${text(title)}</h2>${inside}</section>`;
const list = (items: readonly string[]): string =>
  `<ul>${items.map((item) => `<li>${text(item)}</li>`).join('')}</ul>`;
const facts = (values: Record<string, string>): string =>
  `<dl>${Object.entries(values)
    .map(([name, value]) => `<dt>${text(name)}</dt><dd>${text(value)}</dd>`)
    .join('')}</dl>`;

/** A table of texts; cells of `strong` rows and columns are marked up by the caller. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table><thead><tr>${head.map((title) => `<th scope="col">${text(title)}</th>`).join('')}</tr></thead><tbody>${rows
    .map(
      ([first, ...cells]) =>
        `<tr><th scope="row">${first}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
    )
    .join('')}</tbody></table></div>`;

/** What its task judges networks by. */
const scoreOf = ({ task }: ExperimentResults): string => taskNamed(task).score.title;

const accuracyTable = (results: ExperimentResults): string =>
  `<p>Test ${text(scoreOf(results))} in percent: mean over seeds (95 % t interval). Bold: better than every other method that it can be compared with at that rate, adjusted for the number of comparisons (Holm).</p>${table(
    ['method', ...results.experiment.plan.rates.map(rateTitle)],
    tableRows(results).map(({ label, isBaseline, cells }) => [
      `${text(label)}${isBaseline ? ' (baseline)' : ''}`,
      ...cells.map((cell) =>
        cell.isBest ? `<strong>${text(accuracyText(cell))}</strong>` : text(accuracyText(cell)),
      ),
    ]),
  )}`;

function planFacts(results: ExperimentResults): Record<string, string> {
  const { methods, plannedRuns } = results;
  const { plan } = results.experiment;
  const { dataset, model, rates, seeds, search, config } = plan;
  return {
    Dataset: dataset,
    Network: model,
    Methods: methods.map(({ label }) => label).join('; '),
    Rates: rates.map(rateTitle).join(', '),
    Seeds: seeds.join(', '),
    'Settings of all': configText(config),
    Search: search
      ? `on seed ${seeds[0]} by validation ${scoreOf(results)} (ties: the lower validation loss, then the order shown); learning rate × ${search.learningRates.join(', ')}, ${search.strengths} of each method’s own strength, ${search.halving ? 'half of the settings going on with twice the steps' : 'all of them to the end'}; as many settings and steps for every method`
      : 'none: settings as given',
    Runs: String(plannedRuns),
  };
}

function hashes({ finals, results }: ReportData): Record<string, string> {
  const [first] = finals;
  if (!first) return { Hashes: 'no run has finished yet' };
  const splits = new Map(
    finals.map(({ run: { config, splitHash, samples } }) => [
      `Split at rate ${config.rate}, seed ${config.seed}`,
      `${splitHash} (${samples.train} training, ${samples.val} validation, ${samples.test} test ${taskNamed(results.task).samples})`,
    ]),
  );
  return {
    'Dataset, SHA-256': first.run.datasetHash,
    'Network, SHA-256': first.run.modelHash,
    ...Object.fromEntries(splits),
  };
}

function engines({ finals }: ReportData): Record<string, string> {
  const used = new Set(
    finals.flatMap(({ run: { engine } }) =>
      engine
        ? [
            `${engine.name} (${engine.device}), ${Object.entries(engine.versions)
              .map((pair) => pair.join(' '))
              .join(', ')}`,
          ]
        : [],
    ),
  );
  return { Engine: [...used].join('; ') || '–' };
}

function tried({ methods }: ExperimentResults, cell: ExperimentResults['cells'][number]): string {
  const { method, rate, tried: settings, runs, cost } = cell;
  const rounds = Math.max(0, ...settings.map((setting) => setting.rounds.length));
  const titles = Array.from({ length: rounds }, (_, round) => `round ${round + 1}, validation`);
  const searched = settings.map((setting) => [
    `${text(setting.text)}${setting.chosen ? ' <strong>chosen</strong>' : ''}`,
    ...titles.map((_, round) => {
      const run = setting.rounds[round];
      return run
        ? text(`${run.valAccuracy === null ? run.status : percent(run.valAccuracy)} (${run.steps} steps)`)
        : '';
    }),
  ]);
  const finals = runs.map(
    ({ seed, accuracy, status }) => `seed ${seed}: ${accuracy === null ? status : percent(accuracy)}`,
  );
  const spent = ({ runs: count, steps, seconds }: typeof cost.search) =>
    `${count} runs, ${steps} steps, ${Math.round(seconds)} s`;
  return `<h3>${text(methods[method].label)}, ${text(rateTitle(rate))}</h3>${
    searched.length > 0 ? table(['setting', ...titles], searched) : ''
  }<p>${text(`Search: ${spent(cost.search)}. With the chosen setting: ${spent(cost.final)}. ${finals.join(', ')}`)}</p>`;
}

/** One figure a rate, one line a method: the mean over its seeds. */
function curves({ results, finals }: ReportData): string {
  const { plan } = results.experiment;
  return plan.rates
    .map((rate) => {
      const lines = tableRows(results).flatMap(({ label, isBaseline, cells }) => {
        const ids = new Set(cells.find((cell) => cell.rate === rate)?.runs.map(({ run }) => run));
        const own = finals
          .filter(({ run }) => ids.has(run.id))
          .map(({ curves: series }) => series[taskNamed(results.task).score.curve] ?? []);
        const points = meanOf(own);
        return points.length > 0 ? [{ label, isBaseline, points }] : [];
      });
      if (lines.length === 0) return '';
      const title = `Validation ${scoreOf(results)} by step at ${rateTitle(rate)} of the training data`;
      return `<h3>${text(rateTitle(rate))}</h3><div class="figure">${lineFigure({ title, xTitle: 'step', yTitle: `validation ${scoreOf(results)}, %`, lines, showX: String, showY: inPercent })}</div>`;
    })
    .join('');
}

/** Means at the steps that all of some series have. */
function meanOf(series: readonly { step: number; value: number }[][]): { x: number; y: number }[] {
  const [first = [], ...others] = series;
  return first.flatMap(({ step, value }) => {
    const values = others.flatMap((one) => one.find((point) => point.step === step)?.value ?? []);
    return values.length < others.length
      ? []
      : [{ x: step, y: values.reduce((sum, one) => sum + one, value) / series.length }];
  });
}

const relationshipCard = ({ relationship, method, rows }: ReportData['relationships'][number]): string =>
  `<h3>${text(`Relationship ${relationship.id}, ${relationship.approach} approach (${method})`)}</h3>${table(
    ['target class', 'strongest source classes'],
    rows.map(({ name, sources }) => [
      text(name),
      text(sources.map((source) => `${source.name.split(', ')[0]} ${percent(source.p)}`).join(', ')),
    ]),
  )}`;

const percent = (share: number): string => `${inPercent(share)} %`;
