/** The dialogs that open from several screens; one at a time. What is typed into them is kept by drafts. */
import type { RunRequest } from '../src-shared/contract.ts';

export type DialogName = 'import' | 'model' | 'hub' | 'training';

interface Open {
  name: DialogName;
  /** Values to begin with, over what was typed before. */
  training?: Partial<RunRequest>;
  /** The weights file of a model to add. */
  path?: string;
}

let open = $state.raw<Open | null>(null);

export const dialogs = {
  get open() {
    return open;
  },
};
export function openDialog(name: DialogName, training?: Partial<RunRequest>): void {
  open = { name, training };
}
export function openModelDialog(path: string): void {
  open = { name: 'model', path };
}
export function closeDialog(): void {
  open = null;
}
