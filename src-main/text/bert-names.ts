/** Names of BERT's tensors in checkpoints, and what becomes of them here, where they are those of transformers' BertForMaskedLM. */

/** DistilBERT's layers: Sanh et al., «DistilBERT, a distilled version of BERT», 2019. */
const distilled: readonly (readonly [RegExp, string])[] = [
  [
    /^(distilbert\.)?transformer\.layer\.(\d+)\.attention\.q_lin\./,
    'bert.encoder.layer.$2.attention.self.query.',
  ],
  [
    /^(distilbert\.)?transformer\.layer\.(\d+)\.attention\.k_lin\./,
    'bert.encoder.layer.$2.attention.self.key.',
  ],
  [
    /^(distilbert\.)?transformer\.layer\.(\d+)\.attention\.v_lin\./,
    'bert.encoder.layer.$2.attention.self.value.',
  ],
  [
    /^(distilbert\.)?transformer\.layer\.(\d+)\.attention\.out_lin\./,
    'bert.encoder.layer.$2.attention.output.dense.',
  ],
  [
    /^(distilbert\.)?transformer\.layer\.(\d+)\.sa_layer_norm\./,
    'bert.encoder.layer.$2.attention.output.LayerNorm.',
  ],
  [/^(distilbert\.)?transformer\.layer\.(\d+)\.ffn\.lin1\./, 'bert.encoder.layer.$2.intermediate.dense.'],
  [/^(distilbert\.)?transformer\.layer\.(\d+)\.ffn\.lin2\./, 'bert.encoder.layer.$2.output.dense.'],
  [
    /^(distilbert\.)?transformer\.layer\.(\d+)\.output_layer_norm\./,
    'bert.encoder.layer.$2.output.LayerNorm.',
  ],
  [/^distilbert\.embeddings\./, 'bert.embeddings.'],
  [/^vocab_transform\./, 'cls.predictions.transform.dense.'],
  [/^vocab_layer_norm\./, 'cls.predictions.transform.LayerNorm.'],
  [/^vocab_projector\./, 'cls.predictions.decoder.'],
];

const rules: readonly (readonly [RegExp, string])[] = [
  ...distilled,
  // Saved without the heads around it.
  [/^(embeddings|encoder|pooler)\./, 'bert.$1.'],
  // Converted from TensorFlow.
  [/\.LayerNorm\.gamma$/, '.LayerNorm.weight'],
  [/\.LayerNorm\.beta$/, '.LayerNorm.bias'],
  // Tied to the bias beside it.
  [/^cls\.predictions\.decoder\.bias$/, 'cls.predictions.bias'],
];

/** Buffers, tied scores and heads for something else. */
const unused =
  /^(bert\.embeddings\.(position_ids|token_type_ids)|cls\.predictions\.decoder\.weight|cls\.seq_relationship\..*)$/;

/** What a tensor of a checkpoint is called here; null for one that a masked language model does without. */
export function bertName(name: string): string | null {
  const renamed = rules.reduce((before, [pattern, to]) => before.replace(pattern, to), name);
  return unused.test(renamed) || !/^(bert|cls)\./.test(renamed) ? null : renamed;
}
