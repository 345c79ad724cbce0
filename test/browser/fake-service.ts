/** A service made of pretended data behind a real HTTP and WebSocket server, with the hosts' strict policy. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import { type WebSocket, WebSocketServer } from 'ws';
import { averagings } from '../../src-main/transfer/averaging/index.ts';
import { catalog } from '../../src-main/transfer/catalog.ts';
import {
  type CallInput,
  type CallName,
  type CallOutput,
  contract,
  type EventData,
  type EventName,
  type Experiment,
} from '../../src-shared/contract.ts';
import type { Part, Run } from '../../src-shared/domain.ts';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { methodName } from '../../src-shared/parts.ts';
import * as data from './fake-data.ts';

// As the headless host's.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

type Handler<N extends CallName> = (input: CallInput<N>) => CallOutput<N> | Promise<CallOutput<N>>;
type Handlers = { [N in CallName]?: Handler<N> };

export interface FakeService {
  url: string;
  runs: Map<number, Run>;
  /** Calls received so far, newest last. */
  received: { call: CallName; input: unknown }[];
  emit<N extends EventName>(event: N, payload: EventData<N>): void;
  /** Breaks every connection and refuses new ones until `accept`. */
  refuse(): void;
  accept(): void;
  close(): Promise<void>;
}

export interface FakeOptions {
  /** Where the built renderer lies. */
  folder: string;
  /** Number of runs; none: also no datasets and no models. */
  runs: number;
}

/** A picture that is recognizably of its class: color by class, shape by sample. */
function drawPicture(id: number, side: number): Promise<Buffer> {
  const index = (id % 1_000_000) - 1;
  const label = Math.floor(index / (id < 2_000_000 ? 137 : 500));
  const hue = (label * 47) % 360;
  const n = (key: number) => data.noise(id, key);
  const shapes = Array.from({ length: 5 }, (_, i) => {
    const [x, y, r] = [n(i * 3) * 100, n(i * 3 + 1) * 100, 10 + n(i * 3 + 2) * 26];
    return `<ellipse cx="${x}" cy="${y}" rx="${r}" ry="${r * (0.5 + n(i + 40))}" fill="hsl(${hue + i * 14} 48% ${30 + n(i + 60) * 45}%)" />`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}" viewBox="0 0 100 100"><rect width="100" height="100" fill="hsl(${(hue + 130) % 360} 22% 62%)"/>${shapes.join('')}</svg>`;
  return sharp(Buffer.from(svg)).jpeg({ quality: 80 }).toBuffer();
}

export async function startFakeService({ folder, runs: runCount }: FakeOptions): Promise<FakeService> {
  const full = runCount > 0;
  const runs = new Map(Array.from({ length: runCount }, (_, i) => [i + 1, data.makeRun(i + 1)]));
  const experiments: Experiment[] = full
    ? [
        {
          id: 1,
          name: 'monkeys · methods · seeds',
          plan: {
            name: 'monkeys · methods · seeds',
            dataset: 'monkeys',
            model: 'mnv2',
            methods: ['finetune', 'cotuning'],
            rates: [0.15],
            seeds: [0, 1, 2],
            config: {},
            search: null,
            baseline: false,
          },
          status: 'finished',
          runs: [1, 2, 3, 4, 5, 6].filter((id) => runs.has(id)),
          createdAt: new Date().toISOString(),
        },
      ]
    : [];
  const experimentOf = (id: number) => {
    const found = experiments.find((experiment) => experiment.id === id);
    if (!found) throw new CotuneError('not-found', `There is no experiment ${id}.`, 'See the list of runs.');
    return found;
  };
  const find = (name: string) => {
    const found = data.datasets.find(({ dataset }) => dataset.name === name);
    if (!found)
      throw new CotuneError('not-found', `There is no dataset “${name}”.`, 'Look at the list of datasets.');
    return found;
  };
  const run = (id: number) => {
    const found = runs.get(id);
    if (!found) throw new CotuneError('not-found', `There is no run ${id}.`, 'Look at the list of runs.');
    return found;
  };

  const handlers: Handlers = {
    'system.report': () => ({
      version: '0.1.0',
      home: '/home/ada/.local/share/cotuning-studio',
      engines: [
        {
          name: 'cpu',
          available: true,
          device: 'AMD EPYC 9V74, 2 threads',
          reason: '',
          versions: { onnxruntime: '1.30.0' },
        },
        {
          name: 'webgpu',
          available: false,
          device: '',
          reason: 'No GPU adapter was found.',
          versions: {} as Record<string, string>,
        },
      ],
      findings: [
        { level: 'ok', topic: 'Data folder', text: 'can be written, 41 GB free', hint: '' },
        {
          level: 'warning',
          topic: 'GPU',
          text: 'only a software rasterizer was found',
          hint: 'Install the driver of your graphics card.',
        },
      ],
    }),
    'system.listFolder': ({ path }) => ({
      path: path || '/home/ada',
      parent: path === '/' ? null : '/',
      entries: [
        { name: 'images', path: '/home/ada/images', folder: true },
        { name: 'mobilenet_v2.safetensors', path: '/home/ada/mobilenet_v2.safetensors', folder: false },
      ],
    }),
    'system.device': () => ({ holder: null }),
    'tasks.list': () => [],
    'datasets.formats': () => [
      {
        name: 'folders',
        title: 'Folders',
        help: 'train/, val/ and test/ with one folder per class each, or one folder per class',
        source: 'torchvision.datasets.ImageFolder',
        options: [],
      },
    ],
    'datasets.preview': ({ choice }) => ({
      format: {
        name: 'tables',
        title: 'Tables of images',
        why: 'labels.csv has a column of files and labels.',
      },
      table: {
        path: 'labels.csv',
        columns: ['image', 'breed', 'coat'],
        rows: [['1.jpg', 'beagle', 'short']],
        taken: { file: 'image', label: 'breed', ...choice?.columns },
        classColumns: [],
        found: 1,
        others: [],
      },
      images: [],
      notes: [],
    }),
    'datasets.list': () => (full ? data.datasets.map(({ dataset }) => dataset) : []),
    'datasets.get': ({ dataset }) => find(dataset).dataset,
    'datasets.samples': ({ dataset, label, split, withFindings, offset = 0, limit = 200 }) => {
      const { dataset: record, sample: sampleAt, total, findings } = find(dataset);
      const perClass = total / record.classes.length;
      const flagged = new Set(findings.flatMap(({ path, other }) => [path, other]));
      const sample = (index: number) => {
        const one = sampleAt(index);
        return { ...one, flagged: flagged.has(one.path) };
      };
      const first = label === undefined ? 0 : label * perClass;
      const last = label === undefined ? total : first + perClass;
      if (label === undefined && !split && !withFindings) {
        const samples = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, i) =>
          sample(offset + i),
        );
        return { total, samples };
      }
      const all = Array.from({ length: last - first }, (_, i) => sample(first + i)).filter(
        (one) => (!split || one.split === split) && (!withFindings || flagged.has(one.path)),
      );
      return { total: all.length, samples: all.slice(offset, offset + limit) };
    },
    'datasets.accuracyWithout': () => null,
    'datasets.groups': () => [{ name: 'troop 1', images: 12 }],
    'datasets.edits': ({ undone }) => {
      const made = {
        batch: 1,
        who: 'ada',
        at: '2026-01-02T03:04:05.000Z',
        hash: null,
        finding: null,
        other: null,
        problem: null,
      };
      const edits = [
        {
          ...made,
          id: 2,
          action: 'move' as const,
          target: 'a.jpg',
          before: 'test',
          after: 'train',
          undoneAt: null,
        },
        {
          ...made,
          id: 1,
          action: 'exclude' as const,
          target: 'b.jpg',
          before: null,
          after: null,
          undoneAt: made.at,
        },
      ].filter((edit) => undone || edit.undoneAt === null);
      return { total: edits.length, edits };
    },
    'datasets.findings': ({ dataset, kind, sample, offset = 0, limit = 200 }) => {
      const all = find(dataset).findings.filter(
        (one) =>
          (!kind || one.kind === kind) &&
          (!sample || one.sample?.id === sample || one.otherSample?.id === sample),
      );
      return { total: all.length, findings: all.slice(offset, offset + limit) };
    },
    'samples.get': ({ sample: id }) =>
      data.datasets[Math.floor(id / 1_000_000) - 1].sample((id % 1_000_000) - 1),
    'models.list': () => (full ? [data.model] : []),
    'models.architectures': () => [
      {
        name: 'mobilenet_v2',
        title: 'MobileNetV2',
        traits: { has: ['images', 'batch-norm', 'blocks', 'linear-head'], blocks: 17 },
      },
    ],
    'models.inspect': () => ({ architecture: 'mobilenet_v2', differs: '', classes: 1000, tensors: [] }),
    'exports.verify': ({ path }) => ({ path, size: 224, classes: 3, tolerance: 1e-3, vectors: [] }),
    'relationships.list': () => [data.relationship],
    'relationships.get': () => ({ relationship: data.relationship, rows: data.relationshipRows }),
    'runs.list': ({ before = Number.POSITIVE_INFINITY, limit = 1000 }) =>
      [...runs.values()]
        .filter(({ id }) => id < before)
        .sort((a, b) => b.id - a.id)
        .slice(0, limit),
    'runs.get': ({ run: id }) => run(id),
    'runs.metrics': ({ run: id }) => data.metricSeries(run(id)),
    'runs.notes': ({ run: id }) =>
      run(id).relationshipId ? ['Source temperature 1: the model’s metadata names none.'] : [],
    'runs.evaluation': ({ run: id, split }) => data.evaluationOf(run(id), split === 'val' ? 'val' : 'test'),
    'runs.predictions': ({ run: id, label, predicted, wrongOnly, offset = 0, limit = 200 }) => {
      const all = data
        .predictionsOf(run(id))
        .filter(
          (one) =>
            (label === undefined || one.sample.label === label) &&
            (predicted === undefined || one.predicted === predicted) &&
            (!wrongOnly || !one.correct),
        );
      return { total: all.length, predictions: all.slice(offset, offset + limit) };
    },
    'features.get': ({ dataset }) => {
      const { sample, total } = find(dataset);
      const some = Array.from({ length: Math.min(300, total) }, (_, i) => sample(i));
      const values = Float32Array.from({ length: 2 * some.length }, (_, i) =>
        i % 2 === 0 ? some[i >> 1].label + data.noise(i, 7) : data.noise(i, 8),
      );
      return {
        total: some.length,
        components: 2,
        ids: some.map(({ id }) => id),
        values: Buffer.from(values.buffer).toString('base64'),
        facts: {
          labels: some.map(({ label }) => label),
          splits: some.map(({ split }) => split),
          flagged: some.map(({ id }) => id % 10 === 0),
          predicted: some.map(({ label }) => label),
        },
        next: null,
      };
    },
    'features.similar': ({ sample }) => [{ sample, cosine: 1 }],
    'views.list': () => [{ id: 1, name: 'Howlers', query: { label: '0' } }],
    'runs.explain': ({ samples = [], head }) =>
      samples.map((sample) => ({
        sample,
        path: `${sample}.jpg`,
        error: null,
        overlay: null,
        map: {
          how: 'cam' as const,
          rows: 2,
          columns: 2,
          values: [1, -1, 0.5, 0],
          label: 0,
          name: head === 'source' ? 'langur' : 'mantled howler',
          p: 0.8,
          top: [],
          region: [0.1, 0, 0.8, 1] as [number, number, number, number],
        },
      })),
    'runs.meanMap': () => ({
      map: { how: 'cam' as const, rows: 2, columns: 2, values: [0, 1, 2, 0] },
      images: 12,
    }),
    'runs.compare': ({ runs: ids }) => {
      const methods = [
        ...new Set(ids.map((id) => `${methodName(run(id).config.method)} ${run(id).config.rate}`)),
      ];
      return {
        task: 'image-classification',
        groups: methods.map((key) => {
          const own = ids
            .map(run)
            .filter(({ config }) => `${methodName(config.method)} ${config.rate}` === key);
          const mean = own.reduce((sum, one) => sum + one.test!.accuracy, 0) / own.length;
          return {
            name: `${methodName(own[0].config.method)}, rate ${own[0].config.rate}`,
            method: methodName(own[0].config.method),
            rate: own[0].config.rate,
            runs: own.map((one) => one.id),
            seeds: own.map((one) => one.config.seed),
            repeats: [],
            accuracyMean: mean,
            accuracySd: own.length > 1 ? 0.011 : null,
            secondsMean: 74,
          };
        }),
        differences:
          ids.length > 2
            ? [
                {
                  a: 0,
                  b: 1,
                  seeds: [0, 1, 2],
                  images: 272,
                  p: 0.09,
                  adjustedP: 0.09,
                  verdicts: 1,
                  about: 'methods',
                  difference: { value: 0.021, low: -0.004, high: 0.044 },
                  seedSd: 0.012,
                  distinguishable: false,
                  reasons: [],
                  verdict: 'Over these seeds the two methods cannot be told apart.',
                },
              ]
            : [],
        pairs: [],
      };
    },
    'runs.comparePair': ({ a, b }) => data.comparePair(run(a), run(b)),
    'runs.changes': ({ a, b, kind, offset = 0, limit = 200 }) => {
      const images = data.comparePair(run(a), run(b)).changes[kind];
      return { total: images.length, images: images.slice(offset, offset + limit) };
    },
    'runs.start': (request) => {
      const id = Math.max(0, ...runs.keys()) + 1;
      const started = data.makeRun(id, {
        status: 'running',
        phase: 'starting',
        step: 0,
        test: null,
        val: null,
        timing: null,
      });
      started.config = { ...started.config, method: request.method as Part[], dataset: request.dataset };
      runs.set(id, started);
      return started;
    },
    'runs.averagings': () =>
      averagings.map(({ name, title, help, source, of }) => ({ name, title, help, source, of })),
    'runs.delete': ({ run: id }) => {
      runs.delete(id);
      emit('run.deleted', { run: id });
      return { ok: true };
    },
    'parts.list': () => catalog(),
    'experiments.list': () => experiments,
    'experiments.get': ({ experiment }) => data.experimentResults(experimentOf(experiment)),
    'experiments.resume': ({ experiment }) => {
      const resumed = experimentOf(experiment);
      resumed.status = 'running';
      return resumed;
    },
  };

  const sockets = new Set<WebSocket>();
  const received: FakeService['received'] = [];
  let accepting = true;

  const server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    response.setHeader('Content-Security-Policy', policy);
    if (path === '/access') return void response.writeHead(204).end();
    const image = /^\/images\/(\d+)\/(thumb|full)$/.exec(path);
    try {
      if (image) {
        response.setHeader('Content-Type', 'image/jpeg');
        response.end(await drawPicture(Number(image[1]), image[2] === 'thumb' ? 160 : 720));
        return;
      }
      const file = path === '/' ? 'index.html' : path.slice(1);
      const body = readFileSync(join(folder, file));
      response.setHeader('Content-Type', types[extname(file)] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  const socketServer = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (!accepting) {
      socket.destroy();
      return;
    }
    socketServer.handleUpgrade(request, socket, head, (webSocket) => {
      sockets.add(webSocket);
      webSocket.on('close', () => sockets.delete(webSocket));
      webSocket.on('message', (text) => answer(webSocket, JSON.parse(String(text))));
    });
  });

  async function answer(socket: WebSocket, frame: { id: number; call: CallName; input: unknown }) {
    received.push({ call: frame.call, input: frame.input });
    try {
      const handler = handlers[frame.call] as Handler<CallName> | undefined;
      if (!handler) throw new CotuneError('failed', `The fake service does not know ${frame.call}.`);
      const { input, output } = contract.calls[frame.call];
      // Both ways through the schemas, so that the pretended service cannot drift from the contract.
      const result = output.parse(await handler(input.parse(frame.input) as never));
      socket.send(JSON.stringify({ id: frame.id, output: result }));
    } catch (error) {
      socket.send(JSON.stringify({ id: frame.id, error: toErrorValue(error) }));
    }
  }

  const emit: FakeService['emit'] = (event, payload) => {
    if (event === 'run') runs.set((payload as Run).id, payload as Run);
    for (const socket of sockets) socket.send(JSON.stringify({ event, data: payload }));
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    runs,
    received,
    emit,
    refuse() {
      accepting = false;
      for (const socket of sockets) socket.terminate();
    },
    accept() {
      accepting = true;
    },
    async close() {
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
