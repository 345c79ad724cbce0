import { inspectModelFile } from '../backbones/inspect.ts';
import { openNetworkFile, readNetwork } from '../backbones/network-file.ts';
import { placesOf } from '../backbones/places.ts';
import type { Compiled, Engine } from '../engine/engine.ts';
import { classActivationMap, gradCam, type PlacedFeatures } from '../transfer/activation-map.ts';
import { placeGradientsProgram, placesProgram } from '../transfer/places-programs.ts';
import { softmaxRows } from './predict-logits.ts';
import type { ActivationMap, ExplainJob, JobModel } from './protocol.ts';

/** A network that is open for looking at where it looks. */
export interface View {
  preprocessing: JobModel['preprocessing'];
  /** What it makes of pixels [size, size, 3]: a map for the class `label`, or for the one that it predicts. */
  look(pixels: Float32Array, label: number | null): Promise<Omit<ActivationMap, 'region'>>;
  dispose(): Promise<void>;
}

/** As many as a person has side by side, with their source heads. */
const keptAtOnce = 4;

/** Views that were opened on an engine, the one last used at the end. */
const opened = new WeakMap<Engine, Map<string, View>>();

/** The view of a job's network; it stays open for the next one, until others were used more lately. Errors: those of reading it. */
export async function keptView(engine: Engine, job: Pick<ExplainJob, 'network' | 'size'>): Promise<View> {
  const views = opened.get(engine) ?? new Map<string, View>();
  opened.set(engine, views);
  const key = JSON.stringify([job.network, job.size]);
  const view = views.get(key) ?? (await openView(engine, job));
  views.delete(key);
  views.set(key, view);
  if (views.size > keptAtOnce) {
    const [oldest, left] = views.entries().next().value!;
    views.delete(oldest);
    await left.dispose();
  }
  return view;
}

async function openView(
  engine: Engine,
  { network: of, size }: Pick<ExplainJob, 'network' | 'size'>,
): Promise<View> {
  const facts = typeof of === 'string' ? { ...(await inspectModelFile(of)), path: of } : of;
  const { architecture, padding, batchNormEpsilon, preprocessing, path } = facts;
  const file = openNetworkFile(path, architecture, padding);
  const { backbone, classes, description } = file;
  const network = { backbone, batchNormEpsilon, sourceClasses: classes, targetClasses: classes };
  const weights = readNetwork(file, file.tensors);
  const places = placesOf(description, padding);
  const constantsOf = (names: object) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, weights[name]]));
  const program = placesProgram(network, places, size);
  const forward = await engine.compile(program, { constants: constantsOf(program.state) });
  let backward: Compiled | undefined;

  async function gradientsOf(values: Float32Array, label: number): Promise<Float32Array> {
    const { channels, areTokens } = places;
    const count = values.length / channels;
    const side = Math.sqrt(count);
    const shape = areTokens ? [1, count, channels] : [1, side, side, channels];
    const rest = placeGradientsProgram(network, places, shape);
    backward ??= await engine.compile(rest, { constants: constantsOf(rest.state) });
    const chosen = new Float32Array(classes);
    chosen[label] = 1;
    const { gradients } = await backward.run({ places: values, chosen });
    return gradients as Float32Array;
  }

  return {
    preprocessing,
    async look(pixels, wanted) {
      const found = await forward.run({ images: pixels });
      const all = found.places as Float32Array;
      const probabilities = softmaxRows(found.logits as Float32Array, classes);
      const label = wanted ?? probabilities.indexOf(Math.max(...probabilities));
      // The class token is in no place.
      const inPlaces = (values: Float32Array) =>
        places.areTokens ? values.subarray(places.channels) : values;
      const values = inPlaces(all);
      const side = Math.sqrt(values.length / places.channels);
      const features: PlacedFeatures = { values, rows: side, columns: side, channels: places.channels };
      const map = places.arePooledLinearly
        ? classActivationMap(features, weights[`${backbone.head}.weight`] as Float32Array, label)
        : gradCam(features, inPlaces(await gradientsOf(all, label)));
      const how = places.arePooledLinearly ? 'cam' : 'grad-cam';
      return { how, rows: side, columns: side, values: map, label, probabilities };
    },
    async dispose() {
      await forward.dispose();
      await backward?.dispose();
    },
  };
}
