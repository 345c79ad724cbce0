import type { Architecture } from '../../src-shared/domain.ts';
import type { Backbone, BackboneOptions } from './backbone.ts';
import { mobilenetV2, timmMobilenetV2Layers } from './mobilenet-v2.ts';
import { resnet } from './resnet.ts';

/** Builds the description of a network: its tensors and its forward pass, without any weights. */
export function createBackbone(options: BackboneOptions): Backbone {
  const { architecture } = options;
  return architecture === 'mobilenet_v2' ? mobilenetV2(options) : resnet({ ...options, architecture });
}

/** A tensor's torchvision name, given that name or timm's. timm names ResNets as torchvision does. */
export function torchvisionName(architecture: Architecture, name: string): string {
  if (architecture !== 'mobilenet_v2') return name;
  const dot = name.lastIndexOf('.');
  const layer = timmMobilenetV2Layers().get(name.slice(0, dot));
  return layer ? `${layer}${name.slice(dot)}` : name;
}
