import { CotuneError } from '../../src-shared/errors.ts';

/** What a person called settings (`--lr`, `"head_lr_mult"`), by the names that calls have for them (`config.learningRate`). */
export type WrittenNames = Map<string, string>;

/** A sentence about a call's input begins with the call; fields are told by what is said of them, values are not. */
const call = /^[a-z]+\.[A-Za-z]+: /;
const field = /"([\w.-]+)"(?=:| is | has | can )/g;

/** Does `work`. What it says of a call's input names the settings as they were written. */
export async function inWrittenNames<T>(names: WrittenNames, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CotuneError && call.test(error.message))) throw error;
    const said = (text: string) => text.replace(field, (quoted, name) => written(name, names) ?? quoted);
    const message = said(error.message.replace(call, ''));
    throw new CotuneError(error.code, message, said(error.hint), { cause: error });
  }
}

/** An element of a list has the list's name. */
function written(name: string, names: WrittenNames): string | undefined {
  const parts = name.split('.');
  for (let length = parts.length; length > 0; length--) {
    const found = names.get(parts.slice(0, length).join('.'));
    if (found !== undefined) return [found, ...parts.slice(length)].join('.');
  }
  return undefined;
}
