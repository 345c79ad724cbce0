import { type BertFolder, readBertFolder } from '../../text/open-bert.ts';

/** What a folder of Hugging Face's says of a BERT beside its weights. Errors: as `readBertFolder`. */
export const bertFolder = async ({ folder }: { folder: string }): Promise<BertFolder> =>
  readBertFolder(folder);
