import { compareRuns, summarizeGroups } from '../../src-shared/comparison.ts';
import type { Evaluation } from '../../src-shared/contract.ts';
import type { Run, Split } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { evaluate } from '../../src-shared/metrics.ts';
import type { Context, Handlers } from './context.ts';
import { findRun } from './lookup.ts';

type Names = 'runs.evaluation' | 'runs.predictions' | 'runs.compare';
