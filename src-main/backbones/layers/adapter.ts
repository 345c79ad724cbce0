import { activation, convolution, linear, sum } from '../description.ts';
import type { Build } from './layer.ts';

/**
 * x + W_up relu(W_down x + b_down) + b_up at every place or token. Houlsby et al., «Parameter-Efficient Transfer Learning for NLP»,
 * ICML 2019, figure 2; of images 1×1 convolutions, as in Rebuffi, Bilen, Vedaldi, «Learning multiple visual domains with residual
 * adapters», NIPS 2017.
 */
export const adapter: Build<'adapter'> = ({ name, width, of }, site) => {
  const { channels } = site;
  const inner = typeof width === 'number' ? width : Math.max(1, Math.round(channels / width.reduction));
  const product = (leaf: string, out: number) =>
    of === 'image' ? convolution(`${name}.${leaf}`, out, { bias: true }) : linear(`${name}.${leaf}`, out);
  return site.build([sum([product('down', inner), activation('relu'), product('up', channels)], [])], site);
};
