/** What screens ask the service for: a value that follows its inputs, and a long list fetched page by page. */
import { SvelteMap } from 'svelte/reactivity';
import { type ErrorValue, toErrorValue } from '../src-shared/errors.ts';
import { session } from './session.svelte.ts';

/**
 * The newest answer to `ask`, asked again whenever what it reads changes and after every reconnection. The old
 * value stays visible until the new one is there; answers that arrive out of turn are dropped. `ask` returns null
 * while there is nothing to ask. Call it while a component initializes.
 */
export class Loaded<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ErrorValue | null>(null);
  loading = $state(false);
  #turn = 0;
  #again = $state(0);

  constructor(ask: () => Promise<T> | null) {
    $effect(() => {
      void session.generation;
      void this.#again;
      const turn = ++this.#turn;
      const answer = ask();
      if (!answer) {
        this.value = null;
        this.error = null;
        this.loading = false;
        return;
      }
      this.loading = true;
      answer
        .then((value) => {
          if (turn !== this.#turn) return;
          this.value = value;
          this.error = null;
        })
        .catch((error: unknown) => {
          if (turn === this.#turn) this.error = toErrorValue(error);
        })
        .finally(() => {
          if (turn === this.#turn) this.loading = false;
        });
    });
  }

  reload(): void {
    this.#again++;
  }
}

const pageLength = 200;
/** Pages that are asked for at once, and that wait for it: who scrolls far leaves others behind, which are not asked for. */
const mostUnderWay = 2;
const mostWaiting = 6;

/** A list of unknown length whose items arrive in pages as they come into view. */
export class Pages<T> {
  total = $state<number | null>(null);
  error = $state.raw<ErrorValue | null>(null);
  readonly #pages = new SvelteMap<number, T[]>();
  readonly #asked = new Set<number>();
  /** The ones that were needed last come first. */
  #waiting: number[] = [];
  #underWay = 0;
  readonly #fetch: (offset: number, limit: number) => Promise<{ total: number; items: T[] }>;

  constructor(fetch: (offset: number, limit: number) => Promise<{ total: number; items: T[] }>) {
    this.#fetch = fetch;
    this.#load(0);
  }

  /** The item at `index`, or undefined while it is on its way. */
  at(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / pageLength))?.[index % pageLength];
  }

  /** Asks for what is missing of items `start` … `end` − 1. */
  need(start: number, end: number): void {
    const needed: number[] = [];
    for (let page = Math.floor(start / pageLength); page * pageLength < end; page++)
      if (!this.#asked.has(page)) needed.push(page);
    const others = this.#waiting.filter((page) => !needed.includes(page));
    this.#waiting = [...needed, ...others].slice(0, Math.max(needed.length, mostWaiting));
    this.#next();
  }

  /** Asks anew for everything that is there, which is shown until the answers come. */
  again(): void {
    for (const page of this.#pages.keys()) {
      this.#asked.delete(page);
      this.#waiting.push(page);
    }
    this.#next();
  }

  #next(): void {
    while (this.#underWay < mostUnderWay && this.#waiting.length > 0) this.#load(this.#waiting.shift()!);
  }

  #load(page: number): void {
    if (this.#asked.has(page)) return;
    this.#asked.add(page);
    this.#underWay++;
    this.#fetch(page * pageLength, pageLength)
      .then(
        ({ total, items }) => {
          this.total = total;
          this.#pages.set(page, items);
          this.error = null;
        },
        (error: unknown) => {
          this.#asked.delete(page);
          this.error = toErrorValue(error);
        },
      )
      .finally(() => {
        this.#underWay--;
        this.#next();
      });
  }
}
