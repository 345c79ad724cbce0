import { expect, test } from 'vitest';
import { z } from 'zod';
import { confine } from '../../src-main/hosts/headless/confine.ts';
import type { Service } from '../../src-main/service/service.ts';
import { type CallName, contract } from '../../src-shared/contract.ts';
import { Part, PartChoice } from '../../src-shared/domain.ts';

/** Texts in calls' inputs that lead to no file of the system's: names, what a hub is asked, folders inside the dataset's. */
const noPaths = new Set([
  ...['dataset', 'model', 'models', 'name', 'architecture', 'methods', 'options', 'preset'],
  ...['repository', 'revision', 'endpoint', 'token', 'splits', 'way'],
  // Of a dataset to import: names of columns, a pattern. Of edits: names of its images and classes.
  ...['format', 'columns', 'groupBy', 'values', 'edits', 'label', 'query'],
  // What samples are looked for by, and texts that are predicted themselves.
  ...['group', 'search', 'texts'],
]);

interface Text {
  /** From the input on, e.g. `layout.splits`. */
  field: string[];
  kind: unknown;
  list: boolean;
}

/** Every place of an input where any text may stand. */
function texts(
  schema: z.core.$ZodType,
  field: string[] = [],
  list = false,
  meta: unknown = undefined,
): Text[] {
  const kind = meta ?? (schema as z.ZodType).meta()?.path;
  const inside = (inner: z.core.$ZodType) => texts(inner, field, list, kind);
  // The name of a part, with options.
  if (schema === PartChoice || schema === Part) return [];
  if (schema._zod.def.type === 'string') return [{ field, kind, list }];
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([name, inner]) =>
      texts(inner as z.ZodType, [...field, name]),
    );
  if (schema instanceof z.ZodArray) return texts(schema.element, field, true, kind);
  if (schema instanceof z.ZodRecord) return inside(schema.valueType);
  if (schema instanceof z.ZodTuple) return schema._zod.def.items.flatMap(inside);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(inside);
  if (schema instanceof z.ZodPipe) return [...inside(schema.in), ...inside(schema.out)];
  if ('unwrap' in schema) return inside((schema as z.ZodOptional).unwrap());
  if (schema instanceof z.ZodUnknown) return [{ field, kind, list }];
  const plain = [z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodLiteral, z.ZodNull, z.ZodTransform];
  if (plain.some((known) => schema instanceof known)) return [];
  throw new Error(`${field.join('.')} is a ${schema._zod.def.type}: say here where it holds text.`);
}

const all = (Object.keys(contract.calls) as CallName[]).flatMap((call) =>
  texts(contract.calls[call].input).map((text) => ({
    call,
    ...text,
    where: `${call} ${text.field.join('.')}`,
  })),
);

const service = {
  call: async (name: CallName) => (name === 'datasets.list' ? [] : { parent: null }),
} as unknown as Service;

test.each(all.filter(({ kind }) => kind !== undefined))(
  '$where is kept to the folders of a server',
  async (text) => {
    const confined = confine(service, ['/home/person']);
    const given = (path: string) => {
      const value = text.list ? [path] : path;
      return text.field.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as never;
    };
    for (const path of ['/etc/hostname', '/home/person/../other/a.png'])
      await expect(confined.call(text.call, given(path))).rejects.toMatchObject({
        code: 'bad-input',
        hint: expect.stringContaining('--allow'),
      });
    await expect(confined.call(text.call, given('/home/person/a.png'))).resolves.toBeDefined();
  },
);

test('a text that is not marked as a path is known not to be one', () => {
  const unknown = all.filter(
    ({ kind, field }) => kind === undefined && !field.some((name) => noPaths.has(name)),
  );
  expect(unknown.map(({ where }) => where)).toEqual([]);
});
