/** Every screen over a pretended service: large data, long names, the keyboard, a lost connection, no console error. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { builtRenderer } from './built-renderer.ts';
import { chromiumPath, howToGetChromium, launch, openPage, type WatchedPage } from './chromium.ts';
import { datasets, makeRun, metricsAt } from './fake-data.ts';
import { type FakeService, startFakeService } from './fake-service.ts';

const large = encodeURIComponent(datasets[1].dataset.name);
let browser: Browser | undefined;
let service: FakeService;
let folder: string;

beforeAll(async () => {
  if (!chromiumPath) return;
  folder = await builtRenderer();
  browser = await launch();
  service = await startFakeService({ folder, runs: 60 });
});
afterAll(async () => {
  await browser?.close();
  await service?.close();
});
beforeEach((context) => {
  if (!chromiumPath) context.skip(howToGetChromium);
});

async function within(hash: string, work: (opened: WatchedPage) => Promise<void>, url = service.url) {
  const opened = await openPage(browser!, url + hash);
  try {
    await work(opened);
    expect(opened.faults).toEqual([]);
  } finally {
    await opened.page.context().close();
  }
}

/** Controls on the page that a screen reader could only call "button" or "edit". */
const namelessControls = (page: Page) =>
  page.evaluate(() =>
    [
      ...document.querySelectorAll<HTMLElement>(
        'button, a[href], input, select, textarea, [role=application]',
      ),
    ]
      .filter((control) => {
        const labels = 'labels' in control ? [...((control as HTMLInputElement).labels ?? [])] : [];
        const text = [
          control.getAttribute('aria-label'),
          control.getAttribute('title'),
          control.textContent,
          ...labels.map((label) => label.textContent),
        ];
        return !text.some((part) => part?.trim());
      })
      .map((control) => control.outerHTML.slice(0, 120)),
  );

/** Controls that reach out of the window where nothing scrolls to them. */
const unreachable = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, a[href], input, select')]
      .filter((control) => {
        if (control.getBoundingClientRect().right <= innerWidth + 1) return false;
        let holder = control.parentElement;
        while (holder && !/auto|scroll/.test(getComputedStyle(holder).overflowX))
          holder = holder.parentElement;
        return holder === null || holder.getBoundingClientRect().right > innerWidth + 1;
      })
      .map((control) => control.outerHTML.slice(0, 120)),
  );

describe('screens', () => {
  const places: [string, string, string][] = [
    ['runs', '#/runs', 'Run 60'],
    ['datasets', '#/datasets', 'monkeys'],
    ['images', `#/datasets/${large}?label=7`, 'Images'],
    ['findings', '#/datasets/monkeys?tab=findings', 'Broken'],
    ['review', '#/datasets/monkeys?tab=review&kind=exact-duplicate', 'Same content.'],
    ['relationships', '#/datasets/monkeys?tab=relationships', 'Learn a relationship'],
    ['models', '#/models?model=1', 'Source classes'],
    ['run', '#/runs/8', 'Loss'],
    ['classes', '#/runs/14?tab=classes', 'Sort'],
    ['confusion', '#/runs/14?tab=confusion', 'Confusion matrix'],
    ['predictions', '#/runs/14?tab=predictions', 'Predictions'],
    ['relationship', '#/runs/8?tab=relationship', 'Target classes'],
    ['compare', '#/compare?runs=1,2,3,4', 'Verdict'],
    ['system', '#/system', 'Engines'],
  ];
  const marks: Record<string, (page: Page) => Promise<unknown>> = {
    runs: (page) => page.getByRole('link', { name: 'Run 60' }).waitFor(),
    datasets: (page) => page.getByRole('link', { name: 'monkeys', exact: true }).waitFor(),
    images: (page) => page.getByRole('list', { name: 'Images' }).getByRole('button').first().waitFor(),
    findings: (page) => page.getByText('The file ends in the middle').waitFor(),
    review: (page) => page.getByText('Same content.').waitFor(),
    relationships: (page) => page.getByRole('link', { name: '#1' }).waitFor(),
    models: (page) => page.getByText('howler monkey').waitFor(),
    run: (page) => page.getByRole('figure', { name: 'Loss' }).waitFor(),
    classes: (page) => page.getByRole('link', { name: 'species 199' }).waitFor(),
    confusion: (page) => page.getByRole('application', { name: 'Confusion matrix' }).waitFor(),
    predictions: (page) =>
      page.getByRole('list', { name: 'Predictions' }).getByRole('button').first().waitFor(),
    relationship: (page) => page.getByRole('heading', { name: 'How it was learned' }).waitFor(),
    compare: (page) => page.getByRole('region', { name: 'Verdict' }).waitFor(),
    system: (page) => page.getByRole('heading', { name: 'Engines' }).waitFor(),
  };
  test.each(places)('%s opens, names every control, stays within the window', async (name, hash) => {
    await within(hash, async ({ page }) => {
      await marks[name](page);
      await page.setViewportSize({ width: 900, height: 600 });
      expect(await namelessControls(page)).toEqual([]);
      expect(await unreachable(page)).toEqual([]);
    });
  });

  test('follow the color scheme of the system', async () => {
    const backgrounds: string[] = [];
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, faults } = await openPage(browser!, `${service.url}#/runs/8`, { colorScheme });
      await marks.run(page);
      backgrounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      expect(faults).toEqual([]);
      await page.context().close();
    }
    expect(new Set(backgrounds).size).toBe(2);
  });
});

describe('much of everything', () => {
  let crowded: FakeService | undefined;
  beforeAll(async () => {
    if (chromiumPath) crowded = await startFakeService({ folder, runs: 10_000 });
  });
  afterAll(() => crowded?.close());

  test('10,000 runs scroll, sort and filter with only the rows in view on the page', async () => {
    await within(
      '#/runs',
      async ({ page }) => {
        const list = page.getByRole('list', { name: 'Runs', exact: true });
        await page.getByRole('link', { name: 'Run 10000' }).waitFor();
        expect(await list.getByRole('listitem').count()).toBeLessThan(60);
        await list.evaluate((element) => {
          element.scrollTop = element.scrollHeight;
        });
        await page.getByRole('link', { name: 'Run 1', exact: true }).waitFor();
        await page.getByRole('button', { name: 'Sort by test score' }).click();
        await page.getByLabel('Find runs').fill('#777 co');
        await expect.poll(() => list.getByRole('listitem').count()).toBeLessThan(20);
      },
      crowded!.url,
    );
  });

  test('100,000 images scroll to the last one', async () => {
    await within(`#/datasets/${large}`, async ({ page }) => {
      const list = page.getByRole('list', { name: 'Images' });
      await list.getByRole('button').first().focus();
      await page.keyboard.press('End');
      const last = datasets[1].sample(99_999).path;
      await page.getByRole('button', { name: last }).waitFor();
      expect(await list.getByRole('listitem').count()).toBeLessThan(120);
    });
  });
});

describe('the keyboard', () => {
  test('an outline drawn on the map selects its images, and so does a class by keyboard', async () => {
    await within('#/datasets/monkeys?tab=map', async ({ page }) => {
      await page.getByText('All 300 images').waitFor();
      const box = (await page.locator('canvas').boundingBox())!;
      await page.mouse.move(box.x + 20, box.y + 20);
      await page.mouse.down();
      for (const [x, y] of [
        [0.5, 0.01],
        [0.5, 0.99],
        [0.01, 0.99],
      ])
        await page.mouse.move(box.x + x * box.width, box.y + y * box.height);
      await page.mouse.up();
      const selected = page.getByRole('heading', { name: /images? selected/ });
      await selected.waitFor();
      const table = page.getByRole('table', { name: 'Selected images by class' });
      await table.waitFor();
      const images = (await table.locator('tbody td.number').allTextContents()).map(Number);
      const sum = images.reduce((a, b) => a + b, 0);
      expect(await selected.textContent()).toContain(`${sum} image`);
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThan(300);
      await table.getByRole('button').first().press('Enter');
      await expect.poll(() => table.locator('tbody tr').count()).toBe(1);
    });
  });

  test('walks the picture grid, opens a picture, goes to the next and comes back', async () => {
    await within('#/datasets/monkeys', async ({ page }) => {
      const buttons = page.getByRole('list', { name: 'Images' }).getByRole('button');
      await buttons.first().focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
      const viewer = page.getByRole('dialog');
      await viewer.getByText('2 of 1,370').waitFor();
      await page.keyboard.press('ArrowRight');
      await viewer.getByText('3 of 1,370').waitFor();
      await page.keyboard.press('Escape');
      await viewer.waitFor({ state: 'detached' });
      expect(
        await page.evaluate(() =>
          document.activeElement?.closest('[data-index]')?.getAttribute('data-index'),
        ),
      ).toBe('1');
    });
  });

  test('opens the images of a confusion cell', async () => {
    await within('#/runs/8?tab=confusion', async ({ page }) => {
      await page.getByRole('application', { name: 'Confusion matrix' }).focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('Enter');
      const images = page.getByRole('complementary', { name: 'Images of the chosen cell' });
      await images
        .getByRole('button', { name: /^mantled_howler \d+% right/ })
        .first()
        .waitFor();
    });
  });
});

describe('what a person typed', () => {
  test('outlives a closed dialog and a reload', async () => {
    const empty = await startFakeService({ folder, runs: 0 });
    try {
      await within(
        '#/runs',
        async ({ page }) => {
          await page.getByRole('button', { name: 'Import data' }).click();
          // The first field has the focus.
          await page.keyboard.type('/data/vögel');
          await page.keyboard.press('Escape');
          await page.reload();
          await page.getByRole('button', { name: 'Import data' }).click();
          expect(await page.getByLabel('Folder', { exact: true }).inputValue()).toBe('/data/vögel');
          expect(await page.getByLabel('Name').inputValue()).toBe('vögel');
        },
        empty.url,
      );
    } finally {
      await empty.close();
    }
  });

  test('outlives a lost connection, which is said and mended', async () => {
    const opened = await openPage(browser!, `${service.url}#/runs`);
    const { page } = opened;
    await page.getByRole('button', { name: 'New training' }).click();
    await page.getByLabel('Seeds', { exact: true }).fill('4, 5, 6');
    service.refuse();
    await page.getByText('The connection to the service is lost.').waitFor();
    service.accept();
    await page.getByText('The connection to the service is lost.').waitFor({ state: 'detached' });
    expect(await page.getByLabel('Seeds', { exact: true }).inputValue()).toBe('4, 5, 6');
    await page.getByText('6 runs: 2 methods × 3 seeds').waitFor();
    await page.context().close();
  });

  test('is checked where it stands, before anything is started', async () => {
    await within('#/runs', async ({ page }) => {
      await page.getByRole('button', { name: 'New training' }).click();
      await page.getByLabel('Share of training images, %').fill('150');
      await page.getByText('Percentages above 0 and up to 100').waitFor();
      expect(await page.getByRole('button', { name: /^Start/ }).isDisabled()).toBe(true);
    });
  });
});

test('a running run shows progress and curves as events arrive, without a reload', async () => {
  const run = makeRun(101, {
    status: 'running',
    phase: 'train',
    step: 2,
    test: null,
    val: null,
    timing: null,
  });
  service.runs.set(run.id, run);
  await within(`#/runs/${run.id}`, async ({ page }) => {
    await page.getByRole('figure', { name: 'Loss' }).waitFor();
    const later = { ...run, step: 150 };
    for (let step = 3; step <= 150; step++) {
      service.emit('run.metrics', { run: run.id, step, values: metricsAt(run, step) });
    }
    service.emit('run', later);
    await page.getByText('step 150 of 300').waitFor();
    await page.getByRole('figure', { name: 'Accuracy' }).waitFor();
    const finished = makeRun(run.id);
    service.emit('run', finished);
    await page.getByText('95%:').waitFor();
  });
  service.runs.delete(run.id);
});

/** Drops a file on the main part of the page, as the system does. */
const dropFile = (page: Page, name: string) =>
  page.evaluate((called) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['weights'], called));
    document
      .querySelector('main .screen')!
      .dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
  }, name);

test('a weights file that is dropped in a browser is asked for, since nobody tells where it lies', async () => {
  await within('#/models', async ({ page }) => {
    await page.getByRole('heading', { name: 'Models' }).waitFor();
    await dropFile(page, 'net.safetensors');
    await page.getByText('A browser does not tell where “net.safetensors” lies.').waitFor();
    await page.getByRole('button', { name: 'Choose it…' }).click();
    await page.getByRole('dialog', { name: 'Add a pre-trained network' }).waitFor();
  });
});

test('models are found by what they know', async () => {
  await within('#/models', async ({ page }) => {
    const find = page.getByLabel('Find a model by its name or a source class');
    await find.fill('patas');
    await page.getByText('Knows patas').waitFor();
    await find.fill('no such thing');
    await page.getByRole('heading', { name: 'No model knows that' }).waitFor();
  });
});

test('the desktop’s own dialog and the place of a dropped file are used where there are any', async () => {
  const { page, faults } = await openPage(browser!, 'about:blank');
  // What the preload exposes, with a WebSocket where the shell has its service.
  await page.addInitScript((url) => {
    Object.assign(window, {
      cotune: {
        connect() {
          const { port1, port2 } = new MessageChannel();
          const socket = new WebSocket(`${url.replace('http', 'ws')}ws`);
          socket.onmessage = (event) => port1.postMessage(JSON.parse(event.data));
          socket.onopen = () => window.postMessage('cotune:port', '*', [port2]);
          port1.onmessage = (event) => socket.send(JSON.stringify(event.data));
        },
        pickFolder: async () => '/chosen/natively',
        pickFile: async () => null,
        pathOf: (file: File) => `/dropped/${file.name}`,
      },
    });
  }, service.url);
  await page.goto(`${service.url}#/datasets`);
  await page.getByRole('link', { name: 'monkeys', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Import data' }).click();
  await page.getByRole('button', { name: 'Browse: Folder' }).click();
  await expect.poll(() => page.getByLabel('Name', { exact: true }).inputValue()).toBe('natively');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Models' }).click();
  await page.getByRole('heading', { name: 'Models' }).waitFor();
  await dropFile(page, 'net.pth');
  expect(await page.getByLabel('Weights', { exact: true }).inputValue()).toBe('/dropped/net.pth');
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('net');
  expect(faults).toEqual([]);
  await page.context().close();
});

test('an import is looked at first, and a column can be another than it was taken for', async () => {
  await within('#/datasets', async ({ page }) => {
    await page.getByRole('button', { name: 'Import data' }).click();
    await page.getByRole('textbox', { name: 'Folder', exact: true }).fill('/home/ada/pets');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('Tables of images: labels.csv has').waitFor();
    const role = (name: string) => page.getByRole('columnheader', { name });
    await role('breed label').waitFor();
    await page.getByLabel('Label', { exact: true }).selectOption('coat');
    await role('coat label').waitFor();
    expect(await role('breed label').count()).toBe(0);
  });
});

test('a failed call is told as a sentence with what to do', async () => {
  await within('#/runs/424242', async ({ page }) => {
    const alert = page.getByRole('alert');
    await alert.getByText('There is no run 424242.').waitFor();
    await alert.getByText('Look at the list of runs.').waitFor();
  });
});

test('one picked run is deleted after a confirmation', async () => {
  service.runs.set(102, makeRun(102));
  await within('#/runs/102', async ({ page }) => {
    await page.getByRole('button', { name: 'Delete this run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    expect(service.runs.has(102)).toBe(true);
    await page.getByRole('button', { name: 'Delete this run' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete run' }).click();
    await page.getByRole('link', { name: 'Run 60' }).waitFor();
    expect(service.runs.has(102)).toBe(false);
    await page.getByRole('link', { name: 'Run 102' }).waitFor({ state: 'detached' });
  });
});

test('an experiment shows its lines and its table, which can be copied in three forms, and goes on where it broke off', async () => {
  const { page, faults } = await openPage(browser!, `${service.url}#/experiments/1`, {
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await page.getByRole('heading', { name: 'monkeys · methods · seeds' }).waitFor();
  const drawing = page.locator('.drawing svg');
  for (const method of ['finetune', 'cotuning']) await drawing.getByText(method, { exact: true }).waitFor();
  const best = page.getByRole('row', { name: /cotuning/ }).locator('strong');
  expect(await best.textContent()).toMatch(/^80\.\d \(78\.\d to 83\.\d\)$/);
  for (const [form, begins] of [
    ['Markdown', '| method | 15 % |'],
    ['LaTeX', '\\begin{tabular}{lr}'],
    ['CSV', 'method,'],
  ] as const) {
    await page.getByRole('button', { name: `Copy the table as ${form}` }).click();
    await page.getByText(`Copied as ${form}.`).waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    expect(copied.startsWith(begins) && copied.includes('cotuning')).toBe(true);
  }
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('button', { name: 'Stop' }).waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});
