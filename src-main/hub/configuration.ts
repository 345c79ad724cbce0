import { z } from 'zod';
import type { Preprocessing } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';

/** What a repository's JSON files say of its network beside the weights. */
export interface Configured {
  /** timm's name. */
  architecture?: string;
  /** In the order of the head's outputs, or by their numbers. */
  classNames?: string[] | Record<string, string>;
  preprocessing?: Partial<Preprocessing>;
}

const triple = z.tuple([z.number(), z.number(), z.number()]);

/** timm's and transformers' config.json. */
const Config = z.object({
  architecture: z.string().optional(),
  model_type: z.string().optional(),
  label_names: z.array(z.string()).optional(),
  id2label: z.record(z.string(), z.string()).optional(),
  pretrained_cfg: z
    .object({
      input_size: z.tuple([z.number(), z.number(), z.number()]).optional(),
      crop_pct: z.number().positive().max(1).optional(),
      mean: triple.optional(),
      std: triple.optional(),
      label_names: z.array(z.string()).optional(),
    })
    .optional(),
});

/** An extent as transformers writes it: a number, a square's side, or the shorter side. */
const Extent = z
  .union([
    z.number(),
    z.object({ height: z.number() }).transform(({ height }) => height),
    z.object({ shortest_edge: z.number() }).transform((size) => size.shortest_edge),
  ])
  .optional()
  .catch(undefined);

/** transformers' preprocessor_config.json. */
const Preprocessor = z.object({
  size: Extent,
  crop_size: Extent,
  crop_pct: z.number().positive().max(1).nullish(),
  do_center_crop: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: triple.optional(),
  image_std: triple.optional(),
  /** EfficientNet's: what was normalized is divided by the deviation once more. */
  include_top: z.boolean().nullish(),
});

/**
 * Settings of transformers' networks with which the same tensors compute otherwise, by the kind of network, with the values that
 * are known here; they are these where a configuration leaves them out.
 */
const knownSettings: Record<string, Record<string, unknown>> = {
  resnet: { hidden_act: 'relu', downsample_in_bottleneck: false, downsample_in_first_stage: false },
  convnext: { hidden_act: 'gelu' },
  efficientnet: { hidden_act: 'swish', pooling_type: 'mean' },
  mobilenet_v2: { hidden_act: 'relu6', tf_padding: true },
  vit: { hidden_act: 'gelu' },
  deit: { hidden_act: 'gelu' },
};

/**
 * Name, class names and preprocessing of a network from timm's or transformers' files; what makes no sense is left out. Errors:
 * `bad-input` where a setting makes it another network than its tensors say.
 */
export function configuredBy(repository: string, config: unknown, preprocessor: unknown): Configured {
  const said = Config.safeParse(config).data;
  const settings = Object.entries(knownSettings[said?.model_type ?? ''] ?? {});
  for (const [setting, known] of settings) {
    const value = (config as Record<string, unknown>)[setting] ?? known;
    if (value !== known)
      throw new CotuneError(
        'bad-input',
        `${repository} has a network of another kind: its ${setting} is ${JSON.stringify(value)}, and here it is always ${JSON.stringify(known)}.`,
        'Choose another repository.',
      );
  }
  const classNames = said?.label_names ?? said?.pretrained_cfg?.label_names ?? said?.id2label;
  return {
    ...(said?.architecture !== undefined && { architecture: said.architecture }),
    ...(classNames && { classNames }),
    ...((config !== undefined || preprocessor !== undefined) && {
      preprocessing: { ...ofTransformers(preprocessor), ...ofTimm(said) },
    }),
  };
}

function ofTimm(config: z.infer<typeof Config> | undefined): Partial<Preprocessing> {
  const { input_size: input, crop_pct: crop, mean, std } = config?.pretrained_cfg ?? {};
  const side = input?.[1];
  return {
    ...(side && { inputSize: side, resizeShorter: Math.floor(side / (crop ?? 0.875)) }),
    ...(mean && { mean }),
    ...(std && { std }),
  };
}

function ofTransformers(document: unknown): Partial<Preprocessing> {
  const { data: said } = Preprocessor.safeParse(document);
  if (!said) return {};
  const cropped = said.do_center_crop === false ? undefined : said.crop_size;
  const side = cropped ?? said.size;
  // ConvNeXt's and ResNet's: an image of 384 px and more is not cropped.
  const shorter = side && said.crop_pct && side < 384 ? Math.floor(side / said.crop_pct) : said.size;
  const plain = said.do_normalize === false;
  const std = said.include_top ? said.image_std?.map((value) => value ** 2) : said.image_std;
  return {
    ...(side && { inputSize: side, resizeShorter: Math.max(side, shorter ?? side) }),
    ...(plain ? { mean: [0, 0, 0] } : said.image_mean && { mean: said.image_mean }),
    ...(plain ? { std: [1, 1, 1] } : std && { std: std as Preprocessing['std'] }),
  };
}
