import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import { type CommonOptions, common, withService } from '../session.ts';
import { columns, table } from '../text.ts';

export function verifyCommand(program: Command): void {
  common(program.command('verify <file>'), ['cotune verify monkeys.onnx'])
    .description('run the test vectors of an exported ONNX file again, as other programs run it')
    .action((file: string, options: CommonOptions) =>
      withService({ ...options, job: 'verify' }, async (service) => {
        const check = await service.call('exports.verify', { path: resolve(file) });
        const wrong = check.vectors.filter(({ holds }) => !holds).length;
        const error =
          wrong === 0
            ? null
            : toErrorValue(
                new CotuneError(
                  'failed',
                  `${wrong} of ${check.vectors.length} test vectors of ${check.path} do not hold.`,
                  'The file, or the runtime here, is not what it was: export it again.',
                ),
              );
        const rows = check.vectors.map(({ name, difference, holds }) => [
          name,
          difference.toExponential(1),
          holds ? 'holds' : 'does not hold',
        ]);
        const title = `${check.path}: ${check.size} px, ${check.classes} classes, tolerance ${check.tolerance}`;
        return {
          json: { ...check, error },
          text: `${title}\n${table(columns('picture', '#largest difference', ''), rows)}`,
          error,
        };
      }),
    );
}
