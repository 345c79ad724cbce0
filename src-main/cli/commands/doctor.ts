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

function describe({ version, engines, findings }: SystemReport): string {
  return [
    `Cotuning Studio ${version}`,
    '',
    table(
      columns('engine', '', 'device', 'versions'),
      engines.map((engine) => [
        engine.name,
        engine.available ? marks.ok : marks.info,
        engine.available ? engine.device : engine.reason,
        Object.entries(engine.versions)
          .map(([name, number]) => `${name} ${number}`)
          .join(', '),
      ]),
    ),
    '',
    ...findings.flatMap(({ level, topic, text, hint }) => [
      `${marks[level]} ${topic}: ${text}`,
      ...(hint ? [`    ${hint}`] : []),
    ]),
  ].join('\n');
}
