import type {
  BenchResult,
  DataBench,
  OperatorTime,
  RelationshipBench,
  StepBench,
  StoreBench,
} from '../../src-shared/bench.ts';
import type { Spread } from '../../src-shared/spread.ts';
import { columns, percent, table } from './text.ts';

/** What was measured, for people. */
export function describeBench(result: BenchResult): string {
  switch (result.bench) {
    case 'relationship':
      return describeRelationship(result);
    case 'data':
      return describeData(result);
    case 'store':
      return describeStore(result);
    default:
      return describeStep(result);
  }
}

function describeStep(result: StepBench): string {
  const { compile_s: compile, memory, engine, frozen } = result;
  const facts = [
    `${result.bench} ${result.model}`,
    `batch ${result.batch}`,
    `${result.size} ${result.takes === 'images' ? 'px' : 'pieces'}`,
    ...(frozen > 0 ? [`${frozen} stages frozen`] : []),
    `${engine.name} (${engine.device})`,
  ];
  const rows = [
    spreadRow('step', result.step_s, duration),
    spreadRow(`${result.takes}/s`, result.images_per_s, rate),
    spreadRow('GFLOP/s', result.gflop_per_s, rate),
    spreadRow('share of the product peak', result.share_of_peak, percent),
  ];
  const lines = [
    facts.join(', '),
    '',
    spreadTable(rows),
    '',
    `${Number(result.gflop_per_step.toPrecision(3))} GFLOP a step; product peak ${rate(result.product_peak_gflop_per_s)} GFLOP/s`,
    `compiled in ${duration(compile.total)} (trace ${duration(compile.trace)}, lower ${duration(compile.lower)}, session ${duration(compile.session)}); first step ${duration(result.first_step_s)}`,
    `peak memory ${mebibytes(memory.peak_bytes)}, ${mebibytes(memory.before_compile_bytes)} before compiling`,
  ];
  if (memory.note) lines.push(memory.note);
  if (result.operators) lines.push('', operatorTable(result.operators));
  if (result.operators_note) lines.push(result.operators_note);
  return lines.join('\n');
}

function operatorTable(operators: OperatorTime[]): string {
  const sum = (key: 'count' | 'ms' | 'share') =>
    operators.reduce((total, operator) => total + operator[key], 0);
  const all = { operator: 'all of them', count: sum('count'), ms: sum('ms'), share: sum('share') };
  return table(
    columns('operator', '#nodes', '#ms a step', '#share'),
    [...operators, all].map(({ operator, count, ms, share }) => [
      operator,
      `${count}`,
      ms.toFixed(1),
      percent(share),
    ]),
  );
}

const describeRelationship = ({ samples, sources, targets, ...result }: RelationshipBench): string =>
  [
    `relationship of ${samples} images, ${sources} source and ${targets} target classes, ${result.rounds} rounds`,
    '',
    spreadTable([
      spreadRow(`all ${result.grid.length} values of C`, result.grid_s, duration),
      spreadRow('whole relationship', result.whole_s, duration),
    ]),
    '',
    `C ${result.C}, validation accuracy ${percent(result.val_accuracy)}`,
  ].join('\n');

const describeData = (result: DataBench): string =>
  [
    `data of ${result.dataset}: ${result.images} images, batch ${result.batch}, ${result.size} px`,
    '',
    spreadTable([spreadRow('batches from the cache, images/s', result.warm_images_per_s, rate)]),
    '',
    `decoding into an empty cache: ${rate(result.cold_images_per_s)} images/s`,
    `one augmented image takes ${result.cpu_ms_per_image.toFixed(2)} ms of a core: ${percent(result.core_share_per_100_images_per_s)} of it for every 100 images/s`,
  ].join('\n');

const describeStore = (result: StoreBench): string =>
  [
    `store: ${result.rounds} runs of ${result.steps} steps, ${result.samples} images, ${result.targets} classes`,
    '',
    spreadTable([
      spreadRow('curve values written a second', result.metric_rows_per_s, whole),
      spreadRow('predictions written a second', result.prediction_rows_per_s, whole),
      spreadRow('a block of predictions', result.prediction_turn_s, duration),
      spreadRow("one run's history read while writing", result.history_read_s, duration),
    ]),
    '',
    `curve values written a second meanwhile: ${whole(result.metric_rows_per_s_while_read)}`,
  ].join('\n');

const spreadTable = (rows: string[][]): string => table(columns('', '#median', '#low', '#high'), rows);

const spreadRow = (
  name: string,
  { median, low, high }: Spread,
  show: (value: number) => string,
): string[] => [name, show(median), show(low), show(high)];

const rate = (value: number): string =>
  value < 1 ? value.toPrecision(2) : value.toFixed(value < 100 ? 2 : 0);
const whole = (value: number): string => value.toFixed(0);
const duration = (value: number): string =>
  value < 1 ? `${(1000 * value).toPrecision(3)} ms` : `${value.toFixed(3)} s`;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
