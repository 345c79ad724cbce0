/**
 * What a person is typing into a form, kept in this window's session storage: it outlives a closed dialog, a
 * reload and a lost connection, and ends when the form is sent.
 */
export class Draft<T extends object> {
  fields: T;
  readonly #key: string;
  readonly #empty: T;

  constructor(name: string, empty: T) {
    this.#key = `draft:${name}`;
    this.#empty = empty;
    const kept = sessionStorage.getItem(this.#key);
    this.fields = $state({ ...empty, ...(kept ? (JSON.parse(kept) as Partial<T>) : {}) });
    $effect(() => {
      sessionStorage.setItem(this.#key, JSON.stringify(this.fields));
    });
  }

  clear(): void {
    Object.assign(this.fields, this.#empty);
  }
}
