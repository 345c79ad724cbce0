import { type ModelFacts, toMetadata } from '../backbones/model-metadata.ts';
import { resizeOf } from '../data/resizes/index.ts';
import { testPictures } from './test-vectors.ts';

/** Names of an exported network's one input and one output. */
export const exportedInput = 'images';
export const exportedOutput = 'probabilities:out';

/** Largest difference of a probability that other runtimes and processors explain: they add float32 in other orders. */
export const exportTolerance = 1e-3;

/** What an exported network takes and gives, in its metadata: what a program may ask of the file. */
export function contractMetadata(facts: ModelFacts, vectors: Float32Array): Record<string, string> {
  const { inputSize: side } = facts.preprocessing;
  const resized = resizeOf(facts.preprocessing).contract(facts.preprocessing);
  const classes = facts.classNames.length;
  const rows = testPictures.map(({ name }, i) => ({
    name,
    probabilities: [...vectors.subarray(i * classes, (i + 1) * classes)].map((p) => Number(p.toPrecision(7))),
  }));
  return {
    ...toMetadata(facts),
    input: exportedInput,
    input_type: 'float32',
    input_layout: 'NHWC',
    input_shape: `batch,${side},${side},3`,
    input_channels: 'RGB',
    input_range: '0..255',
    input_normalization: 'inside: x / 255, minus mean, divided by std',
    input_geometry: `${resized.words}, center crop of ${side} px`,
    output: exportedOutput,
    output_shape: `batch,${classes}`,
    output_meaning: 'probabilities in the order of class_names',
    test_vectors: JSON.stringify(rows),
  };
}

/** The same for a person, to lie beside the file. */
export function contractReadme(file: string, facts: ModelFacts, vectors: Float32Array): string {
  const { inputSize: side, mean, std } = facts.preprocessing;
  const resized = resizeOf(facts.preprocessing).contract(facts.preprocessing);
  const { classNames } = facts;
  const rows = testPictures.map(({ name, formula, tells }, i) => {
    const row = vectors.subarray(i * classNames.length, (i + 1) * classNames.length);
    const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b).slice(0, 3);
    const top = order.map((k) => `${k} ${inMarkdown(classNames[k])} ${row[k].toFixed(5)}`).join('<br>');
    return `| ${name} | ${formula} | ${top} | ${tells} |`;
  });
  return `# ${file}

${inMarkdown(facts.origin)}. Architecture ${facts.architecture}, ${classNames.length} classes.

## What it takes and gives

- Input \`${exportedInput}\`: float32 [batch, ${side}, ${side}, 3], any batch. Height, width, channels (NHWC); red, green, blue; values 0 … 255
  as they come out of a picture. The normalization is inside (x / 255, minus ${mean.join(', ')}, divided by ${std.join(', ')}): do not
  apply it yourself.
- Before that, turn the picture upright (EXIF); then: ${resized.words}; of that the center ${side} × ${side} px.
- Output \`${exportedOutput}\`: float32 [batch, ${classNames.length}], probabilities in the order of the classes below.

\`\`\`python
import numpy as np, onnxruntime
from PIL import Image, ImageOps

image = ImageOps.exif_transpose(Image.open('photo.jpg')).convert('RGB')
${resized.python.join('\n')}
left, top = (image.width - ${side}) // 2, (image.height - ${side}) // 2
pixels = np.asarray(image.crop((left, top, left + ${side}, top + ${side})), dtype=np.float32)[None]
session = onnxruntime.InferenceSession('${file}')
[probabilities] = session.run(['${exportedOutput}'], {'${exportedInput}': pixels})
\`\`\`

## Test vectors

Five pictures of ${side} × ${side} px, made by a formula (y, x from 0; c = 0, 1, 2 for red, green, blue; S = ${side}), and the three most
probable classes of each. \`cotune verify ${file}\` runs them again and compares every probability, which the file's metadata
holds under \`test_vectors\`; the same numbers within ${exportTolerance} in your program mean that it feeds the network rightly.

| picture | value at (y, x, c) | most probable | if only this one differs, look at |
|---|---|---|---|
${rows.join('\n')}

## Classes

${classNames.map((name, k) => `${k}. ${inMarkdown(name)}`).join('\n')}
`;
}

/** Names may hold what Markdown takes for a sign. */
const inMarkdown = (text: string): string => text.replaceAll(/[\\`*_{}[\]<>#|]/g, '\\$&');
