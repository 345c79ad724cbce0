/** The networks of tasks over texts: opened with a new head, written with it and opened again. */
import type { TextInput } from '../../src-shared/domain.ts';
import { methodName } from '../../src-shared/parts.ts';
import { hasSteps } from '../../src-shared/run-settings.ts';
import { toTorch } from '../backbones/layouts.ts';
import { readNetwork } from '../backbones/network-file.ts';
import type { TextHead } from '../backbones/networks/bert.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { Task } from '../tasks/task.ts';
import type { AnyModel, TextModel } from '../trainer/protocol.ts';
import { changedBackbone } from '../transfer/changed-backbone.ts';
import { targetHead, targetHeadTensors } from '../transfer/network.ts';
import { architectureOf, bertMetadata, classifier, openBertFile } from './bert-file.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A network of texts. */
export function ofTexts(model: AnyModel): TextModel {
  if (!('text' in model)) throw new Error('This network takes images.');
  return model;
}

/** A trained network as a model: its file says what it takes. */
export const textModelIn = (path: string, text: TextInput, longest: number = text.positions): TextModel => ({
  ...{ path, hash: '', architecture: architectureOf(text), padding: 'symmetric', batchNormEpsilon: 1e-5 },
  ...{ sourceClasses: 0, temperature: null, text, longest },
});

export const tokenizerOf = (model: AnyModel): Tokenizer => openBertFile(model.path, 'pieces').tokenizer;

/** How a task opens and writes its networks, whose new head is of that kind and has such outputs. */
export const textNetworks = (
  head: TextHead,
  outputsOf: (classNames: readonly string[]) => readonly string[],
): Pick<Task, 'head' | 'openSource' | 'openTrained' | 'writeTrained'> => ({
  head,
  openSource(model, classNames, terms) {
    const { file } = openBertFile(ofTexts(model).path, head);
    const network = {
      backbone: changedBackbone(file, 'symmetric', terms),
      batchNormEpsilon: model.batchNormEpsilon,
      sourceClasses: file.classes,
      targetClasses: outputsOf(classNames).length,
      categories: classNames.length,
    };
    return { file, network };
  },
  openTrained(path, model) {
    const { file, outputs } = openBertFile(path, head);
    const network = {
      backbone: file.backbone,
      batchNormEpsilon: model.batchNormEpsilon,
      sourceClasses: 0,
      targetClasses: outputs.length,
    };
    const read = Object.entries(readNetwork(file, file.tensors));
    const weights = Object.fromEntries(
      read.map(([name, values]) => [renamed(name, classifier, targetHead), values]),
    );
    return { network, weights, head: 'target' };
  },
  writeTrained(path, network, weights, { model, config, classNames }) {
    const { text } = ofTexts(model);
    const { settings } = tokenizerOf(model);
    const steps = hasSteps(config) ? `, ${config.steps} steps` : '';
    const origin = `${config.model}, ${methodName(config.method)} on ${config.dataset}, seed ${config.seed}${steps}`;
    const tensors = [...network.backbone.tensors, ...targetHeadTensors(network)];
    writeSafetensors(
      path,
      tensors.map((tensor) => [
        renamed(tensor.name, targetHead, classifier),
        { shape: tensor.shape, values: toTorch(tensor, weights[tensor.name] as Float32Array) },
      ]),
      bertMetadata(text, settings.vocabulary, origin, outputsOf(classNames)),
    );
  },
});

const renamed = (name: string, from: string, to: string): string =>
  name.startsWith(`${from}.`) ? `${to}${name.slice(from.length)}` : name;
