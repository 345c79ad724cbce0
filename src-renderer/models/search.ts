import type { Model } from '../../src-shared/domain.ts';

export interface FoundModel {
  model: Model;
  /** Its source classes that fit; empty where nothing was looked for, or its name fits alone. */
  classes: string[];
}

/** The models whose name, architecture or source classes have the text that was typed in them, whatever the case. */
export function findModels(models: readonly Model[], typed: string): FoundModel[] {
  const wanted = typed.trim().toLocaleLowerCase();
  if (wanted === '') return models.map((model) => ({ model, classes: [] }));
  const fits = (text: string) => text.toLocaleLowerCase().includes(wanted);
  return models.flatMap((model) => {
    const classes = model.sourceClasses.filter(fits);
    return classes.length > 0 || fits(model.name) || fits(model.architecture) ? [{ model, classes }] : [];
  });
}
