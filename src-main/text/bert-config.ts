import { z } from 'zod';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Bert, TextHead } from '../backbones/networks/bert.ts';

const count = z.number().int().positive();

/** Hugging Face's config.json of a BERT. What has a usual value may be absent. */
const Config = z.object({
  model_type: z.literal('bert'),
  vocab_size: count,
  hidden_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  intermediate_size: count,
  max_position_embeddings: count.default(512),
  type_vocab_size: count.default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_dropout_prob: z.number().min(0).lt(1).default(0.1),
  /** Others compute something else of the same tensors. */
  hidden_act: z.literal('gelu').default('gelu'),
  position_embedding_type: z.literal('absolute').default('absolute'),
});

/** The same of a DistilBERT, under the names of Config: it tells no segments apart. */
const Distilled = z
  .object({
    model_type: z.literal('distilbert'),
    vocab_size: count,
    dim: count,
    n_layers: count,
    n_heads: count,
    hidden_dim: count,
    max_position_embeddings: count.default(512),
    dropout: z.number().min(0).lt(1).default(0.1),
    activation: z.literal('gelu').default('gelu'),
  })
  .transform((said) => ({
    vocab_size: said.vocab_size,
    hidden_size: said.dim,
    num_hidden_layers: said.n_layers,
    num_attention_heads: said.n_heads,
    intermediate_size: said.hidden_dim,
    max_position_embeddings: said.max_position_embeddings,
    type_vocab_size: 0,
    layer_norm_eps: 1e-12,
    hidden_dropout_prob: said.dropout,
  }));

/** The numbers of a BERT, or a DistilBERT, from its config.json. Errors: `bad-input` with what is missing, or not known here. */
export function bertOf(name: string, config: unknown): Bert {
  const isDistilled = (config as { model_type?: unknown } | null)?.model_type === 'distilbert';
  const { data: said, error } = isDistilled ? Distilled.safeParse(config) : Config.safeParse(config);
  if (!said)
    throw new CotuneError(
      'bad-input',
      `${name} is no BERT that is known here: ${z.prettifyError(error).replace(/\s*\n\s*/g, ' ')}`,
      'Give the config.json that Hugging Face’s transformers wrote beside the weights.',
    );
  if (said.hidden_size % said.num_attention_heads > 0)
    throw new CotuneError(
      'bad-input',
      `${name}: ${said.hidden_size} features cannot be shared by ${said.num_attention_heads} heads.`,
      'Correct hidden_size or num_attention_heads.',
    );
  return {
    vocabulary: said.vocab_size,
    hidden: said.hidden_size,
    layers: said.num_hidden_layers,
    heads: said.num_attention_heads,
    intermediate: said.intermediate_size,
    positions: said.max_position_embeddings,
    segments: said.type_vocab_size,
    epsilon: said.layer_norm_eps,
    dropout: said.hidden_dropout_prob,
  };
}

/** What a BERT's head is for: the pieces of the vocabulary, or classes of every piece or of a text. */
export type BertPurpose =
  | { head: 'masked' }
  | {
      head: TextHead;
      /** Names of the classes, in the order of the network's numbers. */
      classes: readonly string[];
    };

const architectures = {
  masked: 'BertForMaskedLM',
  pieces: 'BertForTokenClassification',
  text: 'BertForSequenceClassification',
} as const;

/** The same, as transformers reads it. */
export const configOf = (numbers: Bert, purpose: BertPurpose): object => ({
  architectures: [architectures[purpose.head]],
  model_type: 'bert',
  ...(purpose.head !== 'masked' && {
    id2label: Object.fromEntries(purpose.classes.entries()),
    label2id: Object.fromEntries(purpose.classes.map((name, number) => [name, number])),
  }),
  ...(purpose.head === 'text' && { problem_type: 'single_label_classification' }),
  vocab_size: numbers.vocabulary,
  hidden_size: numbers.hidden,
  num_hidden_layers: numbers.layers,
  num_attention_heads: numbers.heads,
  intermediate_size: numbers.intermediate,
  max_position_embeddings: numbers.positions,
  type_vocab_size: numbers.segments,
  layer_norm_eps: numbers.epsilon,
  hidden_act: 'gelu',
  hidden_dropout_prob: numbers.dropout,
  attention_probs_dropout_prob: numbers.dropout,
  initializer_range: 0.02,
  pad_token_id: 0,
});
