import type { Dialect, Sizes } from './architecture.ts';
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
export function torchvisionNaming(architecture: string): (name: string) => string {
  const dialects = architectureNamed(architecture).dialects?.() ?? [];
  return (name) => {
    for (const dialect of dialects) {
      const translated = translate(dialect, name);
      if (translated) return translated;
    }
    return name;
  };
}

/**
 * The dialect in which a file's tensors of an architecture are named: that of most of them. Undefined where they are torchvision's.
 */
export function dialectOf(architecture: string, names: readonly string[]): Dialect | undefined {
  const counted = (architectureNamed(architecture).dialects?.() ?? []).map((dialect) => ({
    dialect,
    count: names.filter((name) => translate(dialect, name)).length,
  }));
  const [best] = counted.sort((a, b) => b.count - a.count);
  return best?.count > 0 ? best.dialect : undefined;
}

function translate({ names }: Dialect, name: string): string | undefined {
  const dot = name.lastIndexOf('.');
  const layer = names.get(name.slice(0, dot));
  return names.get(name) ?? (layer && `${layer}${name.slice(dot)}`);
}
