import type { Command } from 'commander';
import type { SystemReport } from '../../../src-shared/contract.ts';
import { type CommonOptions, common, withService } from '../session.ts';
import { columns, table } from '../text.ts';

const marks = { ok: '✓', info: '·', warning: '!', problem: '✗' } as const;

export function doctorCommand(program: Command): void {
  common(program.command('doctor'), ['cotune doctor', 'cotune doctor --json'])
    .description('look at engines, devices, versions and the data folder; say what to do about each problem')
    .action((options: CommonOptions) =>
      withService(options, async (service) => {
        const report = await service.call('system.report', {});
        const problem = report.findings.find(({ level }) => level === 'problem');
        return {
          json: { ...report, error: problem ? errorOf(problem) : null },
          text: describe(report),
          error: problem ? errorOf(problem) : null,
        };
      }),
    );
}

const errorOf = ({ text, hint }: SystemReport['findings'][number]) => ({
  code: 'failed' as const,
  message: text,
  hint,
});

/** The engines that work as a table; why the others do not is among the findings. */
function describe({ version, engines, findings }: SystemReport): string {
  const rows = engines
    .filter(({ available }) => available)
    .map((engine) => [engine.name, engine.device, versionsOf(engine), engine.reason]);
  return [
    `Cotuning Studio ${version}`,
    '',
    table(columns('engine', 'device', 'versions', ''), rows),
    '',
    ...findings
      .filter(({ topic }) => topic !== 'engines')
      .flatMap(({ level, topic, text, hint }) => [
        `${marks[level]} ${topic}: ${text}`,
        ...(hint ? [`    ${hint}`] : []),
      ]),
  ].join('\n');
}

const versionsOf = ({ versions }: SystemReport['engines'][number]): string =>
  Object.entries(versions)
    .map(([name, number]) => `${name} ${number}`)
    .join(', ');
