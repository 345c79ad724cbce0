/** What axe finds on a page as it stands, in both themes, and whether the keyboard's place can be seen. */
import axe, { type AxeResults, type RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

const everything: RunOptions = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
};
/** A theme is colors and nothing else: what does not depend on them is asked once. */
const colors: RunOptions = {
  runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] },
  resultTypes: ['violations'],
};

/** One line for each fault: rule, element, place, theme, and what axe says. Within `part` of the page where one is named. */
export async function accessibilityFaults(page: Page, place: string, part = 'html'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  const found: string[] = [];
  for (const [theme, options] of [
    ['light', everything],
    ['dark', colors],
  ] as const) {
    // Without motion no color is met on its way.
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate(
      ([context, chosen]): Promise<AxeResults> =>
        (window as unknown as { axe: typeof axe }).axe.run(context, chosen),
      [part, options] as const,
    );
    for (const { id, nodes } of violations)
      for (const { target, any, all, none } of nodes)
        found.push(
          `${id}: ${target.join(' ')} on ${place}, ${theme}. ${[...any, ...all, ...none][0]?.message ?? ''}`,
        );
  }
  for (const control of await withoutFocusRing(page, part))
    found.push(`focus-visible: ${control} on ${place}`);
  return [...new Set(found)];
}

/** Controls that look the same with the keyboard's focus. */
async function withoutFocusRing(page: Page, part: string): Promise<string[]> {
  // After a key the browser shows focus that a script moves, too.
  await page.keyboard.press('Shift');
  return page.evaluate((within) => {
    const before = document.activeElement as HTMLElement | null;
    const ringed = (element: Element, pseudo?: string) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(element, pseudo);
      return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1;
    };
    // The ring may be drawn around the picture in a button, a whole card, or the label of a hidden input.
    const anyRinged = (control: HTMLElement) =>
      ringed(control, '::after') ||
      [control, ...control.children, control.closest('label')].some((one) => one && ringed(one));
    const bare: string[] = [];
    const controls = 'a[href], button:enabled, input:enabled, select:enabled, summary, [tabindex="0"]';
    for (const control of document.querySelector(within)!.querySelectorAll<HTMLElement>(controls)) {
      if (!control.checkVisibility()) continue;
      control.focus({ preventScroll: true });
      if (document.activeElement !== control) continue;
      if (!anyRinged(control)) bare.push(`${control.tagName.toLowerCase()}.${control.className}`);
    }
    before?.focus({ preventScroll: true });
    return bare;
  }, part);
}
