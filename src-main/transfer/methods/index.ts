import type { Method } from '../../../src-shared/domain.ts';
import type { TransferMethod } from '../method.ts';
import { cotuning } from './cotuning.ts';
import { finetune } from './finetune.ts';

const methods: Record<Method, TransferMethod> = { finetune, cotuning };

/** The method of that name. */
export const methodNamed = (name: Method): TransferMethod => methods[name];
