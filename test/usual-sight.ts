/** The parts of a configuration that say how pictures become input, as a run has them that chose none. */
export const usualSight = {
  resize: { name: 'crop' },
  crop: { name: 'random-crop', scale: [0.2, 1], ratio: [3 / 4, 4 / 3], flip: 0.5 },
  augment: [],
  sampling: { name: 'shuffled' },
  evaluation: { name: 'center-crop' },
};
