/**
 * Times steps of a BERT on one synthetic batch: `text-step.ts KIND LAYERS HIDDEN BATCH LENGTH STEPS WARM [PROFILE]`, KIND `pretrain` (masked
 * language modelling, AdamW), `tag` (a tag for every piece, AdamW) or `infer` (the tags' scores). Prints JSON: seconds of the median step
 * after WARM others, peak memory in MiB, seconds to compile. With PROFILE, a prefix, the runtime leaves the time of every operator there.
 */
import { spawnSync } from 'node:child_process';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import { tfShape } from '../../src-main/backbones/layouts.ts';
import { bert } from '../../src-main/backbones/networks/bert.ts';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import type { Arrays, Program } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { trainerEnvironment } from '../../src-main/service/fork-trainer.ts';
import { mostMasked } from '../../src-main/text/masking.ts';
import { maskedPieces } from '../../src-main/text/objective.ts';
import { textSpecs, textTrainingStep } from '../../src-main/text/training-step.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { classify, evaluationScope, specsOf, targetHead } from '../../src-main/transfer/network.ts';
import { placesValues } from '../../src-main/transfer/places.ts';
import { taggedTexts } from '../../src-main/transfer/step-input.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';

// What memory a step takes goes with the environment, too.
const measured = 'TEXT_STEP_IN_TRAINER';
if (!process.env[measured]) {
  const env = { ...trainerEnvironment(), [measured]: '1' };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' }).status ?? 1);
}

const [kind, ...rest] = process.argv.slice(2);
const profile = rest[6];
const [layers, hidden, batch, length, steps, warm] = rest.slice(0, 6).map(Number);
const vocabulary = 28_996;
const tags = 9;

const numbers = {
  ...{ vocabulary, hidden, layers, heads: hidden / 64, intermediate: 4 * hidden },
  ...{ positions: 512, segments: 2, epsilon: 1e-12, dropout: 0.1 },
};
const network = {
  backbone: buildBackbone(bert(numbers, 'pieces'), 'symmetric'),
  batchNormEpsilon: 1e-5,
  sourceClasses: vocabulary,
  targetClasses: tags,
};
const { backbone } = network;
const pieces = batch * length;
const masked = mostMasked(pieces);
const chosen = Array.from({ length: masked }, (_, at) => Math.floor(at / 0.15));
const fed: Arrays = {
  pieces: Int32Array.from({ length: pieces }, (_, at) => (at * 7919) % vocabulary),
  present: new Float32Array(pieces).fill(1),
  learning_rate: Float32Array.of(1e-5),
  step: Float32Array.of(1),
};
const every = Array.from({ length: pieces }, (_, at) => at);
const optimizer = optimizerOf({ name: 'adamw' });
const terms = termsOf([], [{ name: 'gradient-clipping' }]);
const programs = {
  pretrain: () => ({
    program: textTrainingStep(network, { batch, length, objective: maskedPieces(masked), optimizer, terms }),
    more: placesValues(
      'masked',
      masked,
      chosen,
      chosen.map((at) => (at * 31) % vocabulary),
    ),
  }),
  tag: () => ({
    program: trainingProgram(network, {
      ...{ batch, size: length, terms, optimizer },
      headLearningRateMultiplier: 1,
      input: taggedTexts,
    }),
    more: {
      labels: Int32Array.from(every, (at) => at % tags),
      counts: new Float32Array(pieces).fill(1),
    } as Arrays,
  }),
};

const engine = await openEngine('cpu', profile ? { profile } : {});
const random = randomOf(0, 'weights');
/** Drawn once: what drawing hundreds of millions of them leaves to the garbage collector is no step's memory. */
const pool = Float32Array.from({ length: 2 ** 20 }, () => 0.02 * normalOf(random));
const drawn = (shape: readonly number[]) => {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let at = 0; at < values.length; at += pool.length)
    values.set(pool.subarray(0, values.length - at), at);
  return values;
};

async function open() {
  if (kind === 'infer') {
    const tensors = [...backbone.tensors, ...backbone.headTensors(targetHead, tags)];
    const program: Program = {
      state: specsOf(tensors),
      batch: textSpecs({ batch, length }, false),
      step(state, { pieces, present }) {
        const features = backbone.forward(pieces, { ...evaluationScope(network, state), present });
        return { state: {}, outputs: { scores: classify(network, features, state, targetHead) } };
      },
    };
    const constants = Object.fromEntries(tensors.map((tensor) => [tensor.name, drawn(tfShape(tensor))]));
    const { pieces, present } = fed;
    return {
      executable: await engine.compile(program, { constants, consumes: true }),
      batch: { pieces, present },
    };
  }
  const { program, more } = programs[kind as keyof typeof programs]();
  const executable = await engine.compile(program);
  const isWeight = (name: string) => !name.startsWith('mean/') && !name.startsWith('square/');
  const state = Object.entries(program.state).map(([name, { shape }]) => [
    name,
    isWeight(name) ? drawn(shape) : new Float32Array(shape.reduce((a, b) => a * b, 1)),
  ]);
  await executable.load(Object.fromEntries(state));
  return { executable, batch: { ...fed, ...more } };
}

const { executable, batch: values } = await open();
const seconds: number[] = [];
for (let step = 0; step < warm + steps; step++) {
  const from = performance.now();
  await executable.run(values);
  seconds.push((performance.now() - from) / 1000);
}
const sorted = seconds.slice(warm).sort((a, b) => a - b);
const { trace, lower, session } = executable.compileSeconds;
const peak = process.resourceUsage().maxRSS / 1024;
await executable.dispose();
await engine.dispose();
console.log(
  JSON.stringify({
    step: sorted[Math.floor(sorted.length / 2)],
    fastest: sorted[0],
    peak,
    compile: trace + lower + session,
  }),
);
