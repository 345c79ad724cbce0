/**
 * The species of the sample. A species has a form (its noun) and a coat (its adjective). Source species have a coat
 * of their own; a target species is a new cross: the form of some source species in the coat of another. Who shares
 * a form or a coat with it are its kin, so that the right answer of a learned relationship is known.
 */

import type { Dice } from './dice.ts';
import { beetleCoats, beetleForms, drawBeetle } from './draw-beetle.ts';
import { butterflyCoats, butterflyForms, drawButterfly } from './draw-butterfly.ts';
import { drawFish, fishCoats, fishForms } from './draw-fish.ts';
import { drawFlower, flowerCoats, flowerForms } from './draw-flower.ts';
import { drawLeaf, leafCoats, leafForms } from './draw-leaf.ts';
import type { Habitat } from './draw-scene.ts';
import type { Figure } from './draw-shapes.ts';
import { drawShell, shellCoats, shellForms } from './draw-shell.ts';

export interface Species {
  /** Coat and form, e.g. `amber swallowtail`. */
  name: string;
  coat: string;
  form: string;
  family: string;
  habitats: readonly Habitat[];
  /** Largest turn away from upright in degrees. */
  turn: number;
  draw(dice: Dice): Figure;
}

/** A family of species: its forms and coats, where it lives, how far it turns, how it is drawn. */
function family<F extends string, C extends string, Form, Coat>(
  traits: {
    name: string;
    forms: Record<F, Form>;
    coats: Record<C, Coat>;
    habitats: readonly Habitat[];
    turn: number;
  },
  draw: (form: Form, coat: Coat, dice: Dice) => Figure,
): (crosses: Partial<Record<C, readonly F[]>>) => Species[] {
  const { name, forms, coats, habitats, turn } = traits;
  return (crosses) =>
    (Object.keys(crosses) as C[]).flatMap((coat) =>
      (crosses[coat] ?? []).map((form) => ({
        name: `${coat} ${form}`,
        coat,
        form,
        family: name,
        habitats,
        turn,
        draw: (dice) => draw(forms[form], coats[coat], dice),
      })),
    );
}

const butterflies = family(
  {
    name: 'butterflies',
    forms: butterflyForms,
    coats: butterflyCoats,
    habitats: ['meadow', 'bark', 'paper'],
    turn: 55,
  },
  drawButterfly,
);
const fish = family(
  { name: 'fish', forms: fishForms, coats: fishCoats, habitats: ['reef', 'deep', 'shallows'], turn: 20 },
  drawFish,
);
const beetles = family(
  {
    name: 'beetles',
    forms: beetleForms,
    coats: beetleCoats,
    habitats: ['meadow', 'bark', 'paper', 'sand'],
    turn: 70,
  },
  drawBeetle,
);
const flowers = family(
  { name: 'flowers', forms: flowerForms, coats: flowerCoats, habitats: ['meadow', 'paper'], turn: 180 },
  drawFlower,
);
const shells = family(
  { name: 'shells', forms: shellForms, coats: shellCoats, habitats: ['sand', 'shallows'], turn: 90 },
  drawShell,
);
const leaves = family(
  { name: 'leaves', forms: leafForms, coats: leafCoats, habitats: ['bark', 'paper', 'meadow'], turn: 120 },
  drawLeaf,
);

/** The 48 categories that the bundled network was pre-trained on. Every coat is worn by two forms. */
export const sourceSpecies: readonly Species[] = [
  ...butterflies({
    amber: ['swallowtail', 'ringlet'],
    tiger: ['skipper', 'hawkmoth'],
    royal: ['ringlet', 'emperor'],
    peacock: ['emperor', 'skipper'],
    moss: ['hawkmoth', 'swallowtail'],
    dusk: ['skipper', 'ringlet'],
  }),
  ...fish({
    coral: ['wrasse', 'angelfish'],
    zebra: ['angelfish', 'goby'],
    cobalt: ['tang', 'jack'],
    ruby: ['jack', 'wrasse'],
    fern: ['goby', 'tang'],
    lattice: ['jack', 'angelfish'],
  }),
  ...beetles({
    scarlet: ['chafer', 'stag'],
    sapphire: ['stag', 'longhorn'],
    hornet: ['longhorn', 'weevil'],
    jewel: ['weevil', 'rhino'],
    harlequin: ['rhino', 'chafer'],
    ivory: ['longhorn', 'stag'],
  }),
  ...flowers({ snow: ['aster', 'poppy'], crimson: ['poppy', 'lily'] }),
  ...shells({ rose: ['scallop', 'turret'], slate: ['moonsnail', 'scallop'] }),
  ...leaves({ flame: ['maple', 'linden'], spring: ['oak', 'maple'] }),
];

/** The 12 categories of the target set: in each family two coats times two forms, so that neither alone decides. */
export const targetSpecies: readonly Species[] = [
  ...butterflies({ dusk: ['swallowtail', 'emperor'], tiger: ['swallowtail', 'emperor'] }),
  ...fish({ coral: ['tang', 'jack'], zebra: ['tang', 'jack'] }),
  ...beetles({ sapphire: ['rhino', 'chafer'], hornet: ['rhino', 'chafer'] }),
];

/** Source species that share the form or the coat of a target species, by target name. */
export const kinship: Readonly<Record<string, { form: string[]; coat: string[] }>> = Object.fromEntries(
  targetSpecies.map((target) => {
    const sharing = (trait: 'form' | 'coat') =>
      sourceSpecies
        .filter((source) => source.family === target.family && source[trait] === target[trait])
        .map((source) => source.name);
    return [target.name, { form: sharing('form'), coat: sharing('coat') }];
  }),
);
