/** Walks the whole app as a person could: every place that a link leads to, every dialog that a button opens. */
import type { ElementHandle, Page } from 'playwright-core';
import { placeOf } from '../../src-renderer/places.ts';

/** How many items of a place are looked at: two, since one run may have what another lacks. */
const itemsOfPlace = 2;

export interface Stop {
  /** What is looked at, for a person: `runs/:item?tab=classes`, `datasets › Import data`. */
  name: string;
  /** Selector of what is looked at: the open dialog, the screen, or the whole page. */
  part: string;
}

export interface Walked {
  places: Set<string>;
  /** Titles of the dialogs that opened. */
  dialogs: string[];
  /** What went wrong with the keyboard in dialogs. */
  faults: string[];
}

/** Calls `look` at every stop. A dialog is found by the `aria-haspopup` of the button that opens it. */
export async function walk(page: Page, look: (stop: Stop) => Promise<void>): Promise<Walked> {
  const walked: Walked = { places: new Set(), dialogs: [], faults: [] };
  const visits = new Map<string, number>();
  const opened = new Set<string>();
  const waiting = ['#/runs'];
  for (let hash = waiting.shift(); hash !== undefined; hash = waiting.shift()) {
    const { name, place, tab } = read(hash);
    const most = name.includes(':item') && tab === '' ? itemsOfPlace : 1;
    if ((visits.get(name) ?? 0) >= most) continue;
    visits.set(name, (visits.get(name) ?? 0) + 1);
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
    await settled(page);
    await choose(page);
    // What is around a screen is the same whatever tab or item it shows.
    await look({ name, part: walked.places.has(place) ? 'main' : 'html' });
    walked.places.add(place);
    waiting.push(...(await links(page)));
    for (;;) {
      const button = await nextOpener(page, 'main', place, opened);
      if (!button) break;
      await lookInto(page, button, name, 'main', opened, walked, look);
    }
  }
  return walked;
}

function read(hash: string) {
  const [path, query] = hash.replace(/^#\//, '').split('?', 2);
  const place = placeOf(path.split('/').map(decodeURIComponent));
  const tab = new URLSearchParams(query).get('tab') ?? '';
  return { place, tab, name: tab === '' ? place : `${place}?tab=${tab}` };
}

/** Picks the first of whatever can be picked, for chosen rows have colors of their own, and unfolds what is folded. */
async function choose(page: Page): Promise<void> {
  const picked = await page.evaluate(() => {
    const folded = document.querySelector<HTMLElement>('main [aria-expanded=false]');
    folded?.click();
    const picks = [...document.querySelectorAll('main [role=list]')].map((list) => {
      if (list.querySelector('[aria-pressed=true], :checked')) return false;
      const first = list.querySelector<HTMLElement>(
        '[role=listitem] :is([aria-pressed=false], [type=checkbox])',
      );
      first?.click();
      return first !== null;
    });
    return folded !== null || picks.includes(true);
  });
  if (picked) await settled(page);
}

const links = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('a[href^="#/"]')].map((link) => link.getAttribute('href')!),
  );

/** A button within `part` that opens a dialog that was not looked at from here; of a list's rows, one of the first's. */
async function nextOpener(
  page: Page,
  part: string,
  place: string,
  opened: Set<string>,
): Promise<ElementHandle<HTMLElement> | null> {
  const buttons = await page.$$(`${part} button[aria-haspopup=dialog]:enabled`);
  for (const button of buttons) {
    const key = await button.evaluate((element) => {
      const list = element.closest('[role=list], ul, ol, tbody');
      const label = element.getAttribute('aria-label') ?? element.textContent ?? '';
      return list ? `in ${list.getAttribute('aria-label') ?? list.className}: ${element.className}` : label;
    });
    if (opened.has(`${place} ${key.trim()}`)) continue;
    opened.add(`${place} ${key.trim()}`);
    return button as ElementHandle<HTMLElement>;
  }
  return null;
}

async function lookInto(
  page: Page,
  button: ElementHandle<HTMLElement>,
  from: string,
  within: string,
  opened: Set<string>,
  walked: Walked,
  look: (stop: Stop) => Promise<void>,
): Promise<void> {
  const depth = within === 'main' ? 1 : 2;
  await button.focus();
  await page.keyboard.press('Enter');
  const dialog = page.locator('dialog[open]').nth(depth - 1);
  await dialog.waitFor();
  await settled(page);
  const title = await dialog.evaluate(
    (element) =>
      element.getAttribute('aria-label') ??
      document.getElementById(element.getAttribute('aria-labelledby') ?? '')?.textContent ??
      '',
  );
  const name = `${from} › ${title}`;
  await dialog.evaluate((element) => {
    element.id ||= `walked-${document.querySelectorAll('dialog').length}`;
    for (const details of element.querySelectorAll('details')) details.open = true;
  });
  const part = `#${await dialog.getAttribute('id')}`;
  // The same dialog from another place has nothing new to look at; the keyboard's way there and back has.
  if (!walked.dialogs.includes(title)) await look({ name, part });
  walked.dialogs.push(title);
  if (!(await dialog.evaluate((element) => element.contains(document.activeElement))))
    walked.faults.push(`${name}: the focus is not inside`);
  if (depth === 1) {
    const inner = await nextOpener(page, part, from, opened);
    if (inner) await lookInto(page, inner, name, part, opened, walked, look);
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' }).catch(() => {
    walked.faults.push(`${name}: Escape does not close it`);
  });
  if (!(await button.evaluate((element) => element === document.activeElement)))
    walked.faults.push(`${name}: the focus does not return to what opened it`);
}

/** Waits until the page has not changed for a moment. */
const settled = (page: Page): Promise<void> =>
  page.evaluate(
    () =>
      new Promise<void>((done) => {
        const finish = () => {
          clearTimeout(quiet);
          clearTimeout(latest);
          observer.disconnect();
          done();
        };
        const observer = new MutationObserver(() => {
          clearTimeout(quiet);
          quiet = setTimeout(finish, 60);
        });
        observer.observe(document.body, { subtree: true, childList: true, attributes: true });
        let quiet = setTimeout(finish, 60);
        const latest = setTimeout(finish, 3000);
      }),
  );
