/** The networks of tasks over texts: opened with a new head, written with it and opened again. */
import type { TextInput } from '../../src-shared/domain.ts';
import { readNetwork } from '../backbones/network-file.ts';
import type { TextHead } from '../backbones/networks/bert.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import type { Task } from '../tasks/task.ts';
import type { AnyModel, TextModel } from '../trainer/protocol.ts';
import { trainedBy } from '../trainer/trained-weights.ts';
import { changedBackbone } from '../transfer/changed-backbone.ts';
import { targetHead, targetHeadTensors } from '../transfer/network.ts';
import { writtenTensors } from '../transfer/written-tensors.ts';
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
    const weights = Object.fromEntries(read.map(([name, values]) => [ownName(name), values]));
    return { network, weights, head: 'target' };
  },
  writeTrained(path, network, weights, { model, config, classNames }) {
    const { text } = ofTexts(model);
    const { settings } = tokenizerOf(model);
    const tensors = [...network.backbone.tensors, ...targetHeadTensors(network)];
    writeSafetensors(
      path,
      writtenTensors(tensors, weights, classifier),
      bertMetadata(text, settings.vocabulary, trainedBy(config), outputsOf(classNames)),
    );
  },
});

/** What a trained network's tensor is called here. */
const ownName = (name: string): string =>
  name.startsWith(`${classifier}.`) ? targetHead + name.slice(classifier.length) : name;
