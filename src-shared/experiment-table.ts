/** An experiment's table method × rate, and the same as Markdown, LaTeX and CSV. */
import type { ExperimentCell, ExperimentResults } from './contract.ts';
import { csvLine } from './csv.ts';

type Results = Pick<ExperimentResults, 'methods' | 'cells' | 'experiment'>;

interface Row {
  label: string;
  isBaseline: boolean;
  /** By rate, in the plan's order. */
  cells: ExperimentCell[];
}

export const tableRows = ({ methods, cells, experiment }: Results): Row[] =>
  methods.map((method, index) => ({
    ...method,
    cells: experiment.plan.rates.map(
      (rate) => cells.find((cell) => cell.method === index && cell.rate === rate)!,
    ),
  }));

/** `30 %` */
export const rateTitle = (rate: number): string => `${Number((100 * rate).toPrecision(6))} %`;

/** `68.1 (66.0 to 70.2)` in percent; one seed is called one seed. */
export function accuracyText({ accuracy, state }: ExperimentCell): string {
  if (!accuracy) return state === 'hopeless' ? 'diverged' : '–';
  const { mean, interval } = accuracy;
  return `${inPercent(mean)} (${interval ? interval.map(inPercent).join(' to ') : 'one seed'})`;
}

export const asMarkdown = (results: Results): string => {
  const rates = results.experiment.plan.rates.map(rateTitle);
  return [
    `| method | ${rates.join(' | ')} |`,
    `|---|${rates.map(() => '---:|').join('')}`,
    ...tableRows(results).map(
      ({ label, isBaseline, cells }) =>
        `| ${label.replaceAll('|', '\\|')}${isBaseline ? ' (baseline)' : ''} | ${cells
          .map((cell) => (cell.isBest ? `**${accuracyText(cell)}**` : accuracyText(cell)))
          .join(' | ')} |`,
    ),
    '',
  ].join('\n');
};

/** A tabular; needs no package. */
export function asLatex(results: Results): string {
  const rates = results.experiment.plan.rates.map((rate) => escapeLatex(rateTitle(rate)));
  const line = (cells: string[]) => `${cells.join(' & ')} \\\\`;
  return [
    `\\begin{tabular}{l${'r'.repeat(rates.length)}}`,
    '\\hline',
    line(['method', ...rates]),
    '\\hline',
    ...tableRows(results).map(({ label, isBaseline, cells }) =>
      line([
        escapeLatex(`${label}${isBaseline ? ' (baseline)' : ''}`),
        ...cells.map((cell) => {
          const text = escapeLatex(accuracyText(cell));
          return cell.isBest ? `\\textbf{${text}}` : text;
        }),
      ]),
    ),
    '\\hline',
    '\\end{tabular}',
    '',
  ].join('\n');
}

/** A line for every method and rate; shares of one, as they are. */
export const asCsv = (results: Results): string =>
  [
    csvLine(['method', 'baseline', 'rate', 'mean', 'low', 'high', 'seeds', 'best']),
    ...tableRows(results).flatMap(({ label, isBaseline, cells }) =>
      cells.map(({ rate, accuracy, isBest }) =>
        csvLine([
          label,
          String(isBaseline),
          String(rate),
          ...(accuracy
            ? [accuracy.mean, accuracy.interval?.[0] ?? '', accuracy.interval?.[1] ?? '', accuracy.seeds]
            : ['', '', '', 0]
          ).map(String),
          String(isBest),
        ]),
      ),
    ),
  ].join('');

/** A share of one as a number of percent: 0.681 → `68.1`. */
export const inPercent = (share: number): string => (100 * share).toFixed(1);

const latexSigns: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '–': '--',
};
const escapeLatex = (text: string): string =>
  text.replace(/[\\&%$#_{}~^–]/g, (sign) => latexSigns[sign] ?? `\\${sign}`);
