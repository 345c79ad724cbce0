import type { Sizes } from './architecture.ts';
import type { Backbone, Padding } from './backbone.ts';
import { buildBackbone } from './build.ts';
import { architectureNamed } from './registry.ts';

/** What decides a backbone's tensors and arithmetic. */
export interface BackboneOptions extends Sizes {
  /** Name of an architecture. */
  architecture: string;
  padding: Padding;
}

/** A network's tensors and its forward pass, without any weights. Errors: `not-found`. */
export function createBackbone({ architecture, padding, ...sizes }: BackboneOptions): Backbone {
  return buildBackbone(architectureNamed(architecture).describe(sizes), padding);
}

/** How an architecture's tensors are called: from torchvision's name, or one of another library's, to torchvision's. */
export function torchvisionNaming(
  architecture: string,
  sizes: Sizes = { width: 1 },
): (name: string) => string {
  const tables = architectureNamed(architecture).otherNames?.(sizes) ?? [];
  return (name) => {
    const dot = name.lastIndexOf('.');
    for (const table of tables) {
      const whole = table.get(name);
      if (whole) return whole;
      const layer = table.get(name.slice(0, dot));
      if (layer) return `${layer}${name.slice(dot)}`;
    }
    return name;
  };
}
