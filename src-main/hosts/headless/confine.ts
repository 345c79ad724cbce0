import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { type CallInput, type CallName, type CallOutput, contract } from '../../../src-shared/contract.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Service } from '../../service/service.ts';

/**
 * The service for a page that may be shown to more than the person themself: every path that a call names (marked as one
 * in the contract) has to be below one of `folders` or of the datasets' folders, links followed. Errors of its calls:
 * also `bad-input` for a path elsewhere.
 */
export function confine(service: Service, folders: readonly string[]): Service {
  const own = folders.map(whereItIs);

  async function isAllowed(path: string): Promise<boolean> {
    const real = whereItIs(path);
    if (own.some((folder) => contains(folder, real))) return true;
    const datasets = await service.call('datasets.list', {});
    // Of one that is a file, the folder around it is none of the page's.
    return datasets.some(({ path: folder, file }) =>
      contains(whereItIs(file === null ? folder : join(folder, file)), real),
    );
  }

  return {
    ...service,
    async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
      for (const path of pathsOf(name, input)) {
        if (await isAllowed(path)) continue;
        throw new CotuneError(
          'bad-input',
          `${resolve(path)} is outside of the folders that this server keeps to (${folders.join(', ')}).`,
          'Start it again with --allow FOLDER for each folder that it may use.',
        );
      }
      if (name !== 'system.listFolder') return service.call(name, input);
      const listed = await service.call('system.listFolder', {
        path: (input as CallInput<'system.listFolder'>)?.path || folders[0],
      });
      const up = listed.parent !== null && (await isAllowed(listed.parent));
      return { ...listed, parent: up ? listed.parent : null } as CallOutput<N>;
    },
  };
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way.split(/[\\/]/)[0] !== '..';
}

/** Where a path leads, links followed as far as it exists. */
function whereItIs(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch {
    const folder = dirname(absolute);
    return folder === absolute ? absolute : join(whereItIs(folder), basename(absolute));
  }
}

/** Every path in a call's input; what is no path is the service's to refuse. */
function pathsOf(name: CallName, input: unknown): string[] {
  const schema: unknown = Object.hasOwn(contract.calls, name) ? contract.calls[name].input : null;
  if (!(schema instanceof z.ZodObject) || typeof input !== 'object' || input === null) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, field]) => {
    const value = (input as Record<string, unknown>)[key];
    const given = Array.isArray(value) ? value : [value];
    const kind = pathKind(field);
    if (!kind) return [];
    // A bare name that is no file here is that of something built in.
    const isName = (one: string) => kind === 'or name' && basename(one) === one && !existsSync(one);
    return given.filter((one): one is string => typeof one === 'string' && one !== '' && !isName(one));
  });
}

/** What the contract says of a field: a path, a path or a name, or neither (undefined). */
function pathKind(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodArray) return pathKind(schema.element as z.ZodType);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    return pathKind(schema.unwrap() as z.ZodType);
  }
  return schema.meta()?.path;
}
