/** Where the person is, kept in the location hash: `#/runs/12?tab=classes`. Reloading and reopening keep the place. */

interface Place {
  path: string[];
  query: Record<string, string>;
}

function parse(hash: string): Place {
  const [path, query] = hash.replace(/^#\/?/, '').split('?', 2);
  return {
    path: path.split('/').filter(Boolean).map(decodeURIComponent),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

let place = $state.raw(parse(location.hash));
addEventListener('hashchange', () => {
  place = parse(location.hash);
});

export const route = {
  get path() {
    return place.path;
  },
  get query() {
    return place.query;
  },
};

type Query = Record<string, string | number | undefined>;

/** The link to a place; empty and undefined query values are left out. */
export function href(path: readonly (string | number)[], query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const tail = search.size > 0 ? `?${search}` : '';
  return `#/${path.map((part) => encodeURIComponent(part)).join('/')}${tail}`;
}

/** Goes to a place, leaving the present one in the history. */
export function go(path: readonly (string | number)[], query: Query = {}): void {
  location.hash = href(path, query);
}

/** Changes parts of the query in place; `push` leaves a step for the back button. */
export function setQuery(change: Query, push = false): void {
  const next = href(place.path, { ...place.query, ...change });
  if (next === location.hash) return;
  if (push) location.hash = next;
  else {
    history.replaceState(null, '', next);
    place = parse(next);
  }
}
