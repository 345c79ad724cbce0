import type { ExperimentResults } from './contract.ts';
import { inPercent, rateTitle, tableRows } from './experiment-table.ts';
import { lineFigure } from './line-figure.ts';
import { taskNamed } from './tasks/index.ts';

/** The test score against sampling rate, one line a method with its 95 % intervals over seeds, as SVG; null before the first value. */
export function accuracyFigure(results: ExperimentResults): string | null {
  const lines = tableRows(results).map(({ label, isBaseline, cells }) => ({
    label,
    isBaseline,
    points: cells
      .flatMap(({ rate, accuracy }) => {
        if (!accuracy) return [];
        const { mean, interval } = accuracy;
        return [{ x: rate, y: mean, ...(interval && { low: interval[0], high: interval[1] }) }];
      })
      .sort((a, b) => a.x - b.x),
  }));
  if (lines.every(({ points }) => points.length === 0)) return null;
  const score = taskNamed(results.task).score.title;
  return lineFigure({
    title: `Test ${score} by share of the training data: ${results.experiment.name}. The table has the same values.`,
    xTitle: 'share of the training data',
    yTitle: `test ${score}, %`,
    lines,
    xTicks: results.experiment.plan.rates,
    showX: rateTitle,
    showY: inPercent,
  });
}
