import type { Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { LabelNames } from '../annotations/label-names.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { cellOf } from '../annotations/table.ts';
import { baseName, folderOf, indexOf } from '../annotations/tree-index.ts';
import { isImage } from '../folder.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';
import { splitNameOf } from './split-names.ts';

/** Labels of one sample, best first. */
const labelled = ['cls', 'cls.txt', 'label', 'label.txt', 'json', 'txt'];
const jsonKeys = ['label', 'cls', 'class', 'class_name', 'category', 'target'];
const maxLabelBytes = 1_000_000;
/** `train-000000`, `imagenet-val-000012`, `000003` */
const shardName = /(^|[-_.])\d{3,}$/;

/** A sample: the image of that name, and the file that its label is in. */
interface Member {
  image: string;
  label: string | null;
}

/** The path up to the first dot of the base name, which all files of a sample have in common; and what follows it. */
function keyOf(path: string): { key: string; extension: string } {
  const base = baseName(path);
  const dot = base.indexOf('.');
  const start = path.length - base.length;
  return dot < 0
    ? { key: path, extension: '' }
    : { key: path.slice(0, start + dot), extension: base.slice(dot + 1).toLowerCase() };
}

function* members(tree: FileTree): Generator<Member> {
  const samples = new Map<string, { image: string | null; labels: Map<string, string> }>();
  for (const path of tree.files.keys()) {
    const { key, extension } = keyOf(path);
    const isLabel = labelled.includes(extension);
    if (!isLabel && !isImage(path)) continue;
    const sample = samples.get(key) ?? { image: null, labels: new Map() };
    if (isLabel) sample.labels.set(extension, path);
    else sample.image ??= path;
    samples.set(key, sample);
  }
  for (const { image, labels } of samples.values()) {
    const label = labelled.find((extension) => labels.has(extension));
    if (image !== null) yield { image, label: label === undefined ? null : labels.get(label)! };
  }
}

export const webdataset: DatasetFormat = {
  name: 'webdataset',
  title: 'WebDataset',
  help: 'shards such as train-000000.tar, packed or unpacked, in which 0001.jpg lies with 0001.cls (a number or name), 0001.json (label) or 0001.txt',
  source: 'webdataset tariterators.py (base_plus_ext), autodecode.py; timm readers/reader_wds.py',
  async detect(tree) {
    let [images, withLabel, inShards] = [0, 0, 0];
    for (const { image, label } of members(tree)) {
      images++;
      if (label !== null) withLabel++;
      if (shardName.test(baseName(folderOf(image)))) inShards++;
    }
    if (images === 0 || withLabel * 2 < images) return null;
    const isCls = (indexOf(tree).byExtension.get('.cls') ?? []).length > 0;
    if (!isCls && inShards * 2 < images) return null;
    return {
      confidence: inShards * 2 >= images ? 0.85 : 0.6,
      why: `Each image lies beside a file of the same name with its label, ${inShards > 0 ? 'in numbered shards' : 'such as .cls'}.`,
    };
  },
  async *read(tree, options) {
    const found = [...members(tree)];
    const labels = new Map<string, string>();
    const names = new LabelNames();
    for (const { label } of found) {
      if (label === null) continue;
      const text = await labelIn(tree, label);
      labels.set(label, text);
      names.add(text, '');
    }
    if (labels.size === 0)
      throw new CotuneError(
        'bad-input',
        'No image here has a file of the same name with its label.',
        'A sample of a WebDataset is 0001.jpg with 0001.cls, 0001.json or 0001.txt.',
      );
    await names.settle(tree, options);
    const listed = new ListedImages(tree, options);
    for (const { image, label } of found) {
      const text = label === null ? '' : labels.get(label)!;
      const where = { file: label ?? image, at: 'its label' };
      const className = names.of(text);
      const found =
        className === null
          ? listed.badRow(where, text === '' ? `${image} has none` : `it is ${text.slice(0, 80)}`)
          : listed.at(image, { className, split: splitOf(image), where });
      if (found) yield found;
    }
    listed.finish('the shards');
  },
};

/** A label as it stands in a file: all of it, or the member of an object that is called like one. */
async function labelIn(tree: FileTree, path: string): Promise<string> {
  if (tree.files.get(path)!.bytes > maxLabelBytes) return '';
  const text = (await tree.read(path)).toString('utf8').trim();
  if (!path.toLowerCase().endsWith('.json')) return text.length > 200 || text.includes('\n') ? '' : text;
  try {
    const value = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return cellOf(value);
    const key = jsonKeys.find((name) => Object.hasOwn(value, name));
    return key === undefined ? '' : cellOf(value[key]);
  } catch {
    return '';
  }
}

/** What the nearest of the folders around a sample says, which is called after its shard. */
function splitOf(image: string): Split | null {
  for (let folder = folderOf(image); folder !== ''; folder = folderOf(folder)) {
    const split = splitNameOf(baseName(folder))?.split;
    if (split) return split;
  }
  return null;
}
