/** Runs that agree in everything but the seed, under a name that tells each such group from the others shown. */
import { type Catalog, choiceLabel, methodName, optionTitle } from './parts.ts';
import { decidingSettings, type Setting, type SettledRun } from './run-settings.ts';
import { settingTitle } from './setting-title.ts';

export interface Group<R extends SettledRun> {
  name: string;
  method: string;
  /** In the order given; one for every seed. */
  runs: R[];
  /** Runs that do again what one of `runs` does, with the same seed: they count for nothing. */
  repeats: R[];
}

/**
 * The groups in order of appearance, by the methods' titles where there is a catalog. Several runs of one seed are one: the first
 * given counts.
 */
export function groupRuns<R extends SettledRun>(runs: readonly R[], catalog?: Catalog): Group<R>[] {
  const byKey = new Map<string, { settings: Setting[]; members: R[] }>();
  for (const run of runs) {
    const settings = decidingSettings(run);
    const key = JSON.stringify(settings.map(({ key, value }) => [key, value]));
    const group = byKey.get(key) ?? { settings, members: [] };
    byKey.set(key, group);
    group.members.push(run);
  }
  const groups = [...byKey.values()];
  const names = groupNames(
    groups.map(({ settings }) => settings),
    catalog,
  );
  return groups.map(({ members }, i) => {
    const bySeed = new Map<number, R>();
    for (const run of members) if (!bySeed.has(run.config.seed)) bySeed.set(run.config.seed, run);
    const counted = [...bySeed.values()];
    const method = methodName(members[0].config.method);
    return {
      name: `${choiceLabel(method, catalog)}${names[i]}`,
      method,
      runs: counted,
      repeats: members.filter((run) => !counted.includes(run)),
    };
  });
}

/**
 * For every group what follows the method's name: the settings in which the groups that have them differ, and those that others
 * of the same method lack: `, rate 0.15, learning rate 0.001`. One that is on is named alone, and one that is off where others have
 * it on is not.
 */
function groupNames(groups: Setting[][], catalog?: Catalog): string[] {
  const texts = new Map<string, Map<string, string>>();
  const having = new Map<string, number>();
  const count = (what: string) => having.set(what, (having.get(what) ?? 0) + 1);
  const methodOf = (settings: Setting[]) =>
    JSON.stringify(settings.filter(isMethod).map(({ value }) => value));
  for (const settings of groups) {
    const method = methodOf(settings);
    count(method);
    for (const { key, value, text } of settings) {
      count(`${method} ${key}`);
      texts.set(key, (texts.get(key) ?? new Map<string, string>()).set(value, text));
    }
  }
  return groups.map((settings) => {
    const method = methodOf(settings);
    const tells = ({ key }: Setting) =>
      texts.get(key)!.size > 1 || having.get(`${method} ${key}`)! < having.get(method)!;
    return settings
      .filter((setting) => !isMethod(setting) && tells(setting))
      .map(({ key, value, text }) => {
        const alike = [...texts.get(key)!.values()].filter((other) => other === text).length > 1;
        if (text === 'no' && having.get(`${method} ${key}`) === having.get(method)) return '';
        return `, ${titleOf(key, catalog)}${text === 'yes' ? '' : ` ${text}`}${alike ? ` (${value.slice(0, 8)})` : ''}`;
      })
      .join('');
  });
}

/** What an option of a method calls itself within a sentence, or the setting's key in words. */
function titleOf(key: string, catalog?: Catalog): string {
  const title = catalog && optionTitle(key, catalog);
  return title === undefined ? settingTitle(key) : title.charAt(0).toLowerCase() + title.slice(1);
}

const isMethod = ({ key }: Setting): boolean => key.startsWith('method');
