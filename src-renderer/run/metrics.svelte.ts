/** A run's series: loaded once, then extended by events four times a second at most. */
import type { MetricSeries } from '../../src-shared/contract.ts';
import { type ErrorValue, toErrorValue } from '../../src-shared/errors.ts';
import { client, session } from '../session.svelte.ts';

/** Call it while a component initializes; it ends with the component. */
export class RunMetrics {
  series = $state.raw<MetricSeries>({});
  error = $state.raw<ErrorValue | null>(null);
  loaded = $state(false);
  readonly #points = new Map<string, Map<number, number>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(run: () => number) {
    $effect(() => {
      void session.generation;
      const id = run();
      this.#points.clear();
      const stop = client.on('run.metrics', (event) => {
        if (event.run !== id) return;
        for (const [name, value] of Object.entries(event.values)) this.#put(name, event.step, value);
        this.#timer ??= setTimeout(() => this.#show(), 250);
      });
      client.call('runs.metrics', { run: id }).then(
        (series) => {
          for (const [name, points] of Object.entries(series)) {
            for (const { step, value } of points) this.#put(name, step, value);
          }
          this.#show();
          this.loaded = true;
        },
        (thrown: unknown) => {
          this.error = toErrorValue(thrown);
        },
      );
      return () => {
        stop();
        clearTimeout(this.#timer);
        this.#timer = undefined;
      };
    });
  }

  #put(name: string, step: number, value: number): void {
    const points = this.#points.get(name) ?? new Map<number, number>();
    this.#points.set(name, points);
    points.set(step, value);
  }

  #show(): void {
    this.#timer = undefined;
    this.series = Object.fromEntries(
      [...this.#points].map(([name, points]) => [
        name,
        [...points].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step),
      ]),
    );
  }
}
