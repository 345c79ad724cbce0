import { CotuneError } from '../../src-shared/errors.ts';
import type { TrainerExit } from './spawn-trainer.ts';

const smaller = 'Try a smaller --batch or --size, or close other programs.';

/**
 * Why a trainer that said nothing more has ended, as an error for a person. `at` says where it was, e.g.
 * "at step 120".
 */
export function trainerDeath(exit: TrainerExit, at: string): CotuneError {
  const words = lastWords(exit.stderr);
  const said = words ? ` Its last words: ${words}` : '';
  const describe = (what: string, hint: string) =>
    new CotuneError('failed', `The trainer ${what} ${at}.${said}`, hint);

  if (
    /heap out of memory|std::bad_alloc|Cannot allocate memory|Array buffer allocation failed|OUT_OF_(DEVICE|HOST)_MEMORY/i.test(
      exit.stderr,
    )
  ) {
    return describe('ran out of memory', smaller);
  }
  if (/device lost|DEVICE_LOST/i.test(exit.stderr)) {
    return describe('lost its graphics device', 'Update its driver, or use --engine cpu.');
  }
  if (exit.signal === 'SIGKILL' || exit.code === 137) {
    return describe('was killed (SIGKILL), by hand or by the system because memory ran out,', smaller);
  }
  if (
    exit.signal === 'SIGSEGV' ||
    exit.signal === 'SIGBUS' ||
    exit.signal === 'SIGILL' ||
    exit.code === 139
  ) {
    return describe(
      `crashed in native code (${exit.signal ?? `exit code ${exit.code}`})`,
      'A graphics driver is the usual cause: update it, or use --engine cpu.',
    );
  }
  if (exit.signal !== null) return describe(`was ended by ${exit.signal}`, '');
  if (exit.code === null) {
    return new CotuneError('failed', `The trainer could not be started.${said}`, 'See `cotune doctor`.');
  }
  return describe(`ended without a result (exit code ${exit.code})`, 'See `cotune doctor`.');
}

/** The line that says most: the last that speaks of an error, else the last that is no stack frame. */
function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(at |\d+: |-+)/.test(line));
  return lines.findLast((line) => /error|fatal|fail|exception|abort/i.test(line)) ?? lines.at(-1) ?? '';
}
