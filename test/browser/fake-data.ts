/** Made-up but plausible contents for a service: one ordinary dataset, and one that is large in every direction. */
import type {
  ChangedImage,
  Evaluation,
  Experiment,
  ExperimentCell,
  ExperimentResults,
  MetricSeries,
  PairDetail,
  Prediction,
} from '../../src-shared/contract.ts';
import type {
  Dataset,
  Finding,
  Model,
  Relationship,
  RelationshipRow,
  Run,
  Sample,
} from '../../src-shared/domain.ts';
import { usualConfig } from '../usual-config.ts';

/** A reproducible number in [0, 1) for any tuple of whole numbers. */
export function noise(...key: number[]): number {
  let hash = 2166136261;
  for (const value of key) {
    hash = Math.imul(hash ^ value, 16777619);
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 2246822519);
    hash ^= hash >>> 13;
  }
  return (hash >>> 0) / 2 ** 32;
}

const monkeys = [
  'mantled_howler',
  'patas_monkey',
  'bald_uakari',
  'japanese_macaque',
  'pygmy_marmoset',
  'white_headed_capuchin',
  'silvery_marmoset',
  'common_squirrel_monkey',
  'black_headed_night_monkey',
  'nilgiri_langur',
];
const many = Array.from({ length: 200 }, (_, label) =>
  label === 7
    ? 'ein sehr langer Klassenname mit Umlauten (Äöüß), der nirgends überläuft, auch nicht in der Matrix'
    : label === 11
      ? '日本語の クラス'
      : `species ${String(label).padStart(3, '0')}`,
);

export interface FakeDataset {
  dataset: Dataset;
  sample(index: number): Sample;
  total: number;
  findings: Finding[];
}

function makeDataset(id: number, name: string, classes: string[], perClass: number): FakeDataset {
  const total = classes.length * perClass;
  const train = Math.round(perClass * 0.8);
  const sample = (index: number): Sample => {
    const label = Math.floor(index / perClass);
    const place = index % perClass;
    const split = place < train ? 'train' : 'test';
    return {
      id: id * 1_000_000 + index + 1,
      dataset: id,
      path: `${split}/${classes[label]}/n${label}${String(place).padStart(4, '0')}.jpg`,
      label,
      split,
      width: 400 + Math.floor(noise(id, index, 1) * 900),
      height: 300 + Math.floor(noise(id, index, 2) * 700),
      bytes: 40_000 + Math.floor(noise(id, index, 3) * 400_000),
      hash: [1, 2, 3, 4, 5, 6, 7, 8]
        .map((part) =>
          Math.floor(noise(id, index, part + 10) * 2 ** 32)
            .toString(16)
            .padStart(8, '0'),
        )
        .join(''),
      perceptualHash: Math.floor(noise(id, index, 30) * 2 ** 48)
        .toString(16)
        .padStart(16, '0'),
    };
  };
  const counts = { train, val: 0, test: perClass - train };
  const duplicates = Array.from({ length: Math.min(24, perClass) }, (_, i) => ({
    kind: i % 3 === 0 ? ('near-duplicate' as const) : ('exact-duplicate' as const),
    path: sample(i * 5).path,
    other: sample(i * 5 + 2).path,
    leak: sample(i * 5).split !== sample(i * 5 + 2).split,
    sample: sample(i * 5),
    otherSample: sample(i * 5 + 2),
    detail: i % 3 === 0 ? 'The perceptual hashes differ in 2 of 64 bits.' : 'Same content.',
  }));
  const leftOut = [
    {
      kind: 'broken' as const,
      path: `train/${classes[1]}/n1999.jpg`,
      detail: 'The file ends in the middle of the image.',
    },
    {
      kind: 'empty' as const,
      path: `train/${classes[2]}/n2042.jpg`,
      detail: 'The file has no content.',
    },
  ];
  const findings: Finding[] = [
    ...leftOut.map((one) => ({ ...one, other: null, leak: false, sample: null, otherSample: null })),
    ...duplicates,
  ].map((one, index) => ({ ...one, id: id * 1000 + index, score: 0, state: 'open', label: null }));
  return {
    total,
    sample,
    findings,
    dataset: {
      id,
      name,
      task: 'image-classification',
      path: `/home/ada/images/${name}`,
      file: null,
      format: { name: 'folders', title: 'Folders', why: 'The folders are the classes.' },
      hash: `${id}`.repeat(64).slice(0, 64),
      classes,
      importedClasses: classes,
      edits: 0,
      editsHash: null,
      counts: { train: counts.train * classes.length, val: 0, test: counts.test * classes.length },
      classCounts: classes.map(() => counts),
      findings: [...Map.groupBy(findings, ({ kind }) => kind)].map(([kind, members]) => ({
        kind,
        open: members.length,
        kept: 0,
        done: 0,
        leaks: members.filter(({ leak }) => leak).length,
      })),
      notes: ['The folder “val” beside “train” is used as the test split.'],
      importedAt: new Date(Date.now() - id * 5_000_000).toISOString(),
    },
  };
}

export const datasets = [
  makeDataset(1, 'monkeys', monkeys, 137),
  makeDataset(2, 'Große Sammlung – 日本語, with a name that is much longer than any column', many, 500),
];

export const model: Model = {
  id: 1,
  name: 'mnv2',
  hash: 'a'.repeat(64),
  architecture: 'mobilenet_v2',
  padding: 'symmetric',
  batchNormEpsilon: 1e-5,
  preprocessing: {
    inputSize: 224,
    resizeShorter: 256,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  },
  sourceClasses: Array.from(
    { length: 1000 },
    (_, i) => ['patas', 'howler monkey', 'marmoset', 'macaque'][i] ?? `source class ${i}`,
  ),
  temperature: null,
  parameters: 3_504_872,
  origin: 'torchvision MobileNet_V2_Weights.IMAGENET1K_V1',
  notes: [],
  addedAt: new Date(Date.now() - 9_000_000).toISOString(),
};

export function makeRun(id: number, change: Partial<Run> & { method?: string } = {}): Run {
  const { method = id % 2 === 0 ? 'cotuning' : 'finetune', ...rest } = change;
  const seed = Math.floor(id / 2) % 3;
  const rate = [0.15, 0.3, 0.5, 1][Math.floor(id / 6) % 4];
  const accuracy = 0.84 + (method === 'cotuning' ? 0.02 : 0) + rate * 0.06 + noise(id, 5) * 0.03;
  const large = id % 7 === 0;
  const created = Date.now() - (20_000 - id) * 60_000;
  return {
    id,
    task: 'image-classification',
    status: 'finished',
    config: {
      ...usualConfig,
      dataset: datasets[large ? 1 : 0].dataset.name,
      model: 'mnv2',
      method: [
        method === 'cotuning'
          ? { name: method, tradeOff: 2.3, approach: 'reverse', shuffled: false }
          : { name: method },
      ],
      rate,
      seed,
      learningRate: 0.0005,
    },
    datasetId: large ? 2 : 1,
    modelId: 1,
    editsHash: null,
    datasetHash: (large ? '2' : '1').repeat(64),
    modelHash: 'a'.repeat(64),
    splitHash: `${seed}${rate}${large}`.padEnd(64, 'f'),
    engine: { name: 'cpu', device: 'AMD EPYC 9V74, 2 threads', versions: { onnxruntime: '1.30.0' } },
    samples: large ? { train: 12_000, val: 16_000, test: 20_000 } : { train: 131, val: 216, test: 272 },
    phase: 'evaluate',
    step: 300,
    checkpointStep: 300,
    test: { accuracy, macro_f1: accuracy - 0.01, nll: 0.41, ece: 0.032 },
    val: { accuracy: accuracy + 0.01, macro_f1: accuracy, nll: 0.39, ece: 0.03 },
    suspects: 12,
    suspectsAmong: 'test',
    relationshipId: method === 'cotuning' ? 1 : null,
    timing: {
      total_s: 74,
      data_s: 4,
      relationship_s: method === 'cotuning' ? 6 : 0,
      train_s: 60,
      evaluate_s: 4,
      images_per_s: 81.5,
      data_wait_share: 0.004,
    },
    error: null,
    experimentId: null,
    purpose: null,
    createdAt: new Date(created).toISOString(),
    startedAt: new Date(created + 1000).toISOString(),
    finishedAt: new Date(created + 75_000).toISOString(),
    ...rest,
  };
}

/** Losses that fall and accuracies that rise, up to `step`. */
export function metricsAt(run: Run, step: number): Record<string, number> {
  const progress = step / run.config.steps;
  const target = 0.25 + 2.1 * Math.exp(-5 * progress) + (noise(run.id, step, 1) - 0.5) * 0.25;
  const source = 1.1 + 1.2 * Math.exp(-3 * progress) + (noise(run.id, step, 2) - 0.5) * 0.2;
  const cotuning = run.config.method[0].name === 'cotuning';
  return {
    loss: cotuning ? target + 2.3 * source : target,
    ...(cotuning && { target_loss: target, source_loss: source }),
    lr: step < 200 ? 0.0005 : 0.00005,
    ...(step % 60 === 0 && {
      val_accuracy: 0.9 - 0.6 * Math.exp(-6 * progress) + noise(run.id, step, 3) * 0.01,
    }),
    ...(step % 10 === 0 && { images_per_s: 80 + noise(run.id, step, 4) * 6 }),
  };
}

export function metricSeries(run: Run): MetricSeries {
  const series: MetricSeries = {};
  for (let step = 1; step <= run.step; step++) {
    for (const [name, value] of Object.entries(metricsAt(run, step))) {
      series[name] ??= [];
      series[name].push({ step, value });
    }
  }
  return series;
}

const fakeOf = (run: Run) => datasets.find(({ dataset }) => dataset.id === run.datasetId)!;

function predictedLabel(run: Run, sample: Sample, classes: number): number {
  if (noise(run.id, sample.id) < run.test!.accuracy) return sample.label;
  return (
    (sample.label + 1 + Math.floor(noise(run.id, sample.id, 2) ** 2 * Math.min(6, classes - 1))) % classes
  );
}

/** Test predictions of a run; the large dataset's are thinned to 5 per class. */
export function predictionsOf(run: Run): Prediction[] {
  const { dataset, sample, total } = fakeOf(run);
  const out: Prediction[] = [];
  const perClass = new Map<number, number>();
  for (let index = 0; index < total; index++) {
    const item = sample(index);
    if (item.split !== 'test') continue;
    const seen = perClass.get(item.label) ?? 0;
    if (dataset.classes.length > 50 && seen >= 5) continue;
    perClass.set(item.label, seen + 1);
    const predicted = predictedLabel(run, item, dataset.classes.length);
    const confidence = 0.45 + 0.54 * noise(run.id, item.id, 3);
    const rest = (1 - confidence) / (dataset.classes.length - 1);
    out.push({
      sample: item,
      predicted,
      correct: predicted === item.label,
      confidence,
      loss: -Math.log(predicted === item.label ? confidence : rest),
      rank: predicted === item.label ? 1 : 2,
      top: [predicted, ...[...dataset.classes.keys()].filter((label) => label !== predicted)]
        .slice(0, 5)
        .map((label) => ({ label, p: label === predicted ? confidence : rest })),
    });
  }
  return out;
}

export function evaluationOf(run: Run, split: 'test' | 'val'): Evaluation {
  const classes = fakeOf(run).dataset.classes;
  const confusion = classes.map(() => classes.map(() => 0));
  for (const { sample, predicted } of predictionsOf(run)) confusion[sample.label][predicted]++;
  const columns = classes.map((_, label) => confusion.reduce((sum, row) => sum + row[label], 0));
  const accuracy = run.test!.accuracy;
  return {
    split,
    accuracy,
    accuracyInterval: [accuracy - 0.037, accuracy + 0.031],
    macroF1: run.test!.macro_f1,
    nll: run.test!.nll,
    ece: run.test!.ece,
    brier: 0.14,
    confusion,
    classes: classes.map((name, label) => {
      const support = confusion[label].reduce((sum, images) => sum + images, 0);
      const recall = support > 0 ? confusion[label][label] / support : 0;
      const precision = columns[label] > 0 ? confusion[label][label] / columns[label] : 0;
      const f1 = recall + precision > 0 ? (2 * recall * precision) / (recall + precision) : 0;
      const interval: [number, number] = [Math.max(0, recall - 0.14), Math.min(1, recall + 0.09)];
      return { name, support, predicted: columns[label], precision, recall, f1, recallInterval: interval };
    }),
    reliability: Array.from({ length: 15 }, (_, bin) => ({
      count: bin < 5 ? 0 : (bin - 4) ** 2,
      confidence: (bin + 0.5) / 15,
      accuracy: Math.max(0, Math.min(1, (bin + 0.5) / 15 + (noise(run.id, bin) - 0.6) * 0.15)),
    })),
  };
}

export const relationship: Relationship = {
  id: 1,
  key: 'k',
  datasetId: 1,
  modelId: 1,
  datasetName: 'monkeys',
  modelName: 'mnv2',
  approach: 'reverse',
  sourceTemperature: 1,
  temperatureSource: 'default',
  C: 30,
  scale: 1.12,
  valAccuracy: 0.902,
  grid: [1e4, 3e3, 1e3, 300, 100, 30, 10, 3, 1, 0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4].map((C, i) => ({
    C,
    objective: 100 + i,
    val_accuracy: 0.902 - Math.abs(i - 5) * 0.02,
  })),
  notes: ['1 of 270 images is left out, which can no longer be used.'],
  targetClasses: monkeys,
  sourceClasses: model.sourceClasses,
  createdAt: new Date().toISOString(),
};

export const relationshipRows: RelationshipRow[] = monkeys.map((name, label) => {
  const top = 0.35 + 0.6 * noise(label, 77);
  return {
    name,
    entropy: 0.2 + (1 - top) * 4,
    sources: Array.from({ length: 20 }, (_, rank) => ({
      name: model.sourceClasses[(label + rank * 7) % 1000],
      p: rank === 0 ? top : (1 - top) * 0.5 ** rank,
    })),
  };
});

export function comparePair(
  a: Run,
  b: Run,
): PairDetail & { changes: Record<'fixed' | 'broken', ChangedImage[]> } {
  const ofA = predictionsOf(a);
  const ofB = new Map(predictionsOf(b).map((prediction) => [prediction.sample.id, prediction]));
  const changes = ofA.flatMap((one) => {
    const other = ofB.get(one.sample.id);
    return other ? [{ sample: one.sample, predictedA: one.predicted, predictedB: other.predicted }] : [];
  });
  const fixed = changes.filter(
    ({ sample, predictedA, predictedB }) => predictedA !== sample.label && predictedB === sample.label,
  );
  const broken = changes.filter(
    ({ sample, predictedA, predictedB }) => predictedA === sample.label && predictedB !== sample.label,
  );
  const classes = fakeOf(a).dataset.classes;
  const value = b.test!.accuracy - a.test!.accuracy;
  const interval = (accuracy: number) => ({ value: accuracy, low: accuracy - 0.037, high: accuracy + 0.031 });
  const recall = (label: number, key: 'predictedA' | 'predictedB') => {
    const own = changes.filter(({ sample }) => sample.label === label);
    return own.length > 0 ? own.filter((change) => change[key] === label).length / own.length : null;
  };
  return {
    a: a.id,
    b: b.id,
    comparable: true,
    reasons: [],
    p: 0.43,
    adjustedP: 0.43,
    verdicts: 1,
    about: 'networks',
    configDifferences: (Object.keys(a.config) as (keyof Run['config'])[])
      .filter((key) => String(a.config[key]) !== String(b.config[key]))
      .map((key) => ({ key, a: String(a.config[key]), b: String(b.config[key]) })),
    accuracyA: interval(a.test!.accuracy),
    accuracyB: interval(b.test!.accuracy),
    difference: { value, low: value - 0.033, high: value + 0.036 },
    mcnemarP: 0.43,
    distinguishable: Math.abs(value) > 0.033,
    verdict: `On these ${changes.length} images the two runs cannot be told apart: the difference of ${(value * 100).toFixed(1)} points lies within chance.`,
    classes: classes.map((name, label) => {
      const recallA = recall(label, 'predictedA');
      const recallB = recall(label, 'predictedB');
      return {
        name,
        support: changes.filter(({ sample }) => sample.label === label).length,
        recallA,
        recallB,
        gain: recallA === null || recallB === null ? null : recallB - recallA,
      };
    }),
    fixed: fixed.length,
    broken: broken.length,
    changes: { fixed, broken },
  };
}

/** What an experiment of two methods came to: one searched with all seeds, one with a single seed that a search broke off. */
export function experimentResults(experiment: Experiment): ExperimentResults {
  const cost = { runs: 9, steps: 1350, seconds: 312 };
  const round = (run: number, valAccuracy: number | null) => ({
    run,
    status: valAccuracy === null ? ('failed' as const) : ('finished' as const),
    steps: 75,
    valAccuracy,
    valNll: valAccuracy === null ? null : 0.6,
  });
  const cell = (method: number, rate: number, mean: number, isBest: boolean): ExperimentCell => ({
    method,
    rate,
    state: 'chosen',
    tried: [
      {
        text: 'learning rate 0.001, Trade-off λ 2.3',
        chosen: true,
        rounds: [round(1, 0.81), round(2, 0.84)],
      },
      { text: 'learning rate 0.003, Trade-off λ 2.3', chosen: false, rounds: [round(3, null)] },
    ],
    runs: [0, 1, 2].map((seed) => ({
      run: seed + 1,
      status: 'finished',
      seed,
      accuracy: mean + (seed - 1) / 100,
    })),
    accuracy: { mean, interval: [mean - 0.025, mean + 0.025], seeds: 3 },
    isBest,
    cost: { search: cost, final: { ...cost, runs: 3 } },
  });
  const { rates, methods } = experiment.plan;
  return {
    experiment,
    task: 'image-classification',
    state: experiment.status === 'running' ? 'running' : 'incomplete',
    problem: null,
    methods: methods.map((method, index) => ({ label: String(method), isBaseline: index === 0 })),
    cells: rates.flatMap((rate) =>
      methods.map((_, method) => cell(method, rate, 0.7 + method / 10 + rate / 20, method === 1)),
    ),
    plannedRuns: 24,
    verdicts: [{ rate: rates[0], verdict: 'cotuning is better than finetune.', distinguishable: true }],
  };
}
