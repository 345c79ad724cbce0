import type { Calibration, Relationship } from '../../src-shared/domain.ts';

/** The temperature of a relationship, and where it comes from. */
export function temperatureLines({
  sourceTemperature,
  temperatureSource,
  calibration,
}: Pick<Relationship, 'sourceTemperature' | 'temperatureSource' | 'calibration'>): string[] {
  const origin = {
    fitted: 'fitted on source-labelled images',
    metadata: "from the model's metadata",
    typed: 'as given',
    default: 'not calibrated: --calibration-data FOLDER fits it',
  }[temperatureSource];
  return [
    `Source temperature ${Number(sourceTemperature.toPrecision(6))} (${origin})`,
    ...(calibration ? calibrationLines(calibration) : []),
  ];
}

/** What a fit was made on and what it mended. */
export const calibrationLines = ({
  images,
  classes,
  nllBefore,
  nllAfter,
  data,
  notes,
}: Calibration): string[] => [
  `  on ${images} images of ${classes} source classes in ${data}: NLL ${nllBefore.toFixed(4)} before, ${nllAfter.toFixed(4)} after`,
  ...notes.map((note) => `  ${note}`),
];
