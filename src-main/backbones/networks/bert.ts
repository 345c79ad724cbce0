import {
  activation,
  attention,
  block,
  type Description,
  dropout,
  type Layer,
  layerNorm,
  linear,
  sum,
} from '../description.ts';
import { inFourStages } from '../four-stages.ts';

/** The numbers of a BERT, as Hugging Face's config.json has them. */
export interface Bert {
  /** Pieces of the vocabulary. */
  vocabulary: number;
  hidden: number;
  layers: number;
  heads: number;
  intermediate: number;
  /** Most pieces of a text. */
  positions: number;
  segments: number;
  epsilon: number;
  /** Share of features and of attention's weights that is dropped while training. */
  dropout: number;
}

/** What a new head reads: every piece's features, or those of a text's first piece through the pooler. */
export type TextHead = 'pieces' | 'text';

const pieces = 'bert.embeddings';

/**
 * BERT under the names of Hugging Face's transformers: its pre-trained head scores the pieces of the vocabulary at every piece.
 * Devlin et al., «BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding», NAACL 2019.
 */
export function bert(numbers: Bert, newHead: TextHead): Description {
  const { vocabulary, hidden, positions, segments, epsilon, dropout: rate } = numbers;
  const layers = Array.from({ length: numbers.layers }, (_, index) => encoderLayer(index, numbers));
  return {
    batchNorm: { epsilon: 1e-5, momentum: 0.1 },
    stages: [
      [
        { op: 'pieces', name: pieces, vocabulary, positions, segments, out: hidden },
        layerNorm(`${pieces}.LayerNorm`, epsilon),
        dropout(`${pieces}.dropout`, rate, 'value'),
      ],
      ...inFourStages(layers),
    ],
    neck: [],
    head: [
      linear('cls.predictions.transform.dense', hidden),
      activation('gelu'),
      layerNorm('cls.predictions.transform.LayerNorm', epsilon),
      {
        op: 'pieceScores',
        name: 'cls.predictions',
        pieces: `${pieces}.word_embeddings.weight`,
        out: 'classes',
      },
    ],
    newHead: [
      ...(newHead === 'text'
        ? [{ op: 'classToken' as const }, linear('bert.pooler.dense', hidden), activation('tanh')]
        : []),
      linear('classifier', 'classes'),
    ],
  };
}

const projections = { projections: ['self.query', 'self.key', 'self.value'], out: 'output.dense' };

/** Norms come after what is added to, as in the Transformer of Vaswani et al. */
function encoderLayer(index: number, numbers: Bert): Layer {
  const { heads, hidden, intermediate, epsilon, dropout: rate } = numbers;
  return block(
    `bert.encoder.layer.${index}`,
    sum(
      [
        attention('attention', heads, { apart: projections, rate }),
        dropout('attention.output.dropout', rate, 'value'),
      ],
      [],
    ),
    layerNorm('attention.output.LayerNorm', epsilon),
    sum(
      [
        linear('intermediate.dense', intermediate),
        activation('gelu'),
        linear('output.dense', hidden),
        dropout('output.dropout', rate, 'value'),
      ],
      [],
    ),
    layerNorm('output.LayerNorm', epsilon),
  );
}
