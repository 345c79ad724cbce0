import type { Dataset, Finding } from '../../src-shared/domain.ts';
import { findingTitle } from '../../src-shared/finding-kinds.ts';
import type { Service } from '../service/service.ts';
import { plural } from './text.ts';

const shown = 5;

/** The first open findings of each kind, with how many there are. */
export async function someFindings(service: Service, dataset: Dataset): Promise<string[]> {
  const lines: string[] = [];
  for (const { kind, open, leaks } of dataset.findings) {
    if (open === 0) continue;
    const { findings } = await service.call('datasets.findings', {
      dataset: dataset.name,
      kind,
      state: 'open',
      limit: shown,
    });
    lines.push('', `${findingTitle(kind)}: ${open}${leaks > 0 ? `, ${leaks} across splits` : ''}`);
    for (const finding of findings) lines.push(`  ${findingLine(finding)}`);
    if (open > shown)
      lines.push(
        `  … and ${plural(open - shown, 'other')}: cotune dataset findings ${dataset.name} --kind ${kind}`,
      );
  }
  return lines;
}

export const findingLine = ({ path, detail }: Finding): string => `${path}: ${detail}`;
