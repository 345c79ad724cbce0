/** Blocked images pixel by pixel. */
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain } from './onnx-graph.ts';

/** Along one axis: output pixel j is input pixel stride·j + offset, or zero where the image has none. */
export interface Picking {
  from: number;
  to: number;
  stride: number;
  offset: number;
}

const isWhole = ({ from, to, stride, offset }: Picking): boolean =>
  from === to && stride === 1 && offset === 0;

/**
 * Pixels of a blocked image with so many (padded) channels, plus `sum` where given: a depthwise convolution by a kernel with
 * a single one, which ONNX Runtime does on all processors, other than Slice or Pad.
 */
export function pickPixels(
  name: Name,
  channels: number,
  axes: readonly [Picking, Picking],
  lowering: Lowering,
  sum?: Name,
): Name {
  if (axes.every(isWhole)) return sum ? lowering.op('Add', [name, sum]) : name;
  const { block } = lowering.target;
  const [rows, columns] = axes.map(windowOf);
  const area = rows.side * columns.side;
  const one = rows.one * columns.side + columns.one;
  const kernel = Float32Array.from({ length: channels * area }, (_, index) =>
    Number(Math.floor(index / block) % area === one),
  );
  return lowering.op(
    'Conv',
    [
      name,
      lowering.graph.constant('float32', [channels, 1, rows.side, columns.side], kernel),
      ...(sum ? ['', sum] : []),
    ],
    {
      kernel_shape: [rows.side, columns.side],
      strides: [axes[0].stride, axes[1].stride],
      pads: [rows.before, columns.before, rows.after, columns.after],
      group: channels,
    },
    nchwcDomain,
  );
}

/**
 * A blocked image [batch, channels, height, width] with its pixels a stride apart and zeros between them. Zeros behind
 * pixels, and behind rows of them, are padding of a picking by another view of the image.
 */
export function spreadPixels(
  name: Name,
  [batch, channels, height, width]: readonly number[],
  [rows, columns]: readonly [number, number],
  lowering: Lowering,
): Name {
  if (rows * columns === 1) return name;
  const followed = (image: Name, count: number, extent: number, times: number): Name => {
    if (times === 1) return image;
    const view = lowering.reshape(image, [batch, channels, count, extent]);
    const along = (from: number, to: number): Picking => ({ from, to, stride: 1, offset: 0 });
    return pickPixels(view, channels, [along(count, count), along(extent, extent * times)], lowering);
  };
  const apart = followed(name, height * width, 1, columns);
  const lines = followed(apart, height, width * columns, rows);
  return lowering.reshape(lines, [batch, channels, height * rows, width * columns]);
}

/** The smallest window, with padding, whose position `one` reads the right pixels, and that fits as often as asked for. */
function windowOf({ from, to, stride, offset }: Picking) {
  const before = Math.max(0, -offset);
  const one = Math.max(0, offset);
  const side = Math.max(one + 1, from + before - to * stride + 1);
  const after = Math.max(0, (to - 1) * stride + side - before - from);
  return { before, one, side, after };
}
