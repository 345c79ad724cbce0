import { z } from 'zod';
import type { DatasetFormatDescription } from '../../../src-shared/contract.ts';
import type { DatasetFormat } from './format.ts';

/** The description of a format as data, for help and forms. */
export function describeFormat({
  name,
  title,
  help,
  source,
  options,
}: DatasetFormat): DatasetFormatDescription {
  const { properties = {} } = options ? z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) : {};
  const described = Object.entries(properties as Record<string, z.core.JSONSchema.JSONSchema>).map(
    ([option, schema]) => ({
      name: option,
      title: schema.title ?? option,
      help: schema.description ?? '',
      default: String(schema.default ?? ''),
      choices: (schema.enum ?? []).map(String),
    }),
  );
  return { name, title, help, source, options: described };
}
