/** Numbers, times and names as a person reads them. A value that is not there is an en dash. */
const none = '–';
const counts = new Intl.NumberFormat('en-US');

export const count = (value: number | null | undefined): string =>
  value == null ? none : counts.format(value);

/** `1 image`, `2 images`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A share of one, in percent: 0.8932 → `89.3%`. */
export const percent = (share: number | null | undefined, digits = 1): string =>
  share == null || Number.isNaN(share) ? none : `${(share * 100).toFixed(digits)}%`;

/** A difference of shares in percentage points with its sign: 0.021 → `+2.1`. */
export const points = (difference: number | null, digits = 1): string => {
  if (difference === null) return none;
  const text = (Math.abs(difference) * 100).toFixed(digits);
  if (Number(text) === 0) return `±${text}`;
  return `${difference > 0 ? '+' : '−'}${text}`;
};

/** Four significant digits, without trailing zeros; very small and very large values in powers of ten. */
export function quantity(value: number | null | undefined): string {
  if (value == null || Number.isNaN(value)) return none;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(1).replace('e+', 'e').replace('.0e', 'e');
  return size >= 1000 ? counts.format(Math.round(value)) : String(Number(value.toPrecision(4)));
}

export function duration(seconds: number | null | undefined): string {
  if (seconds == null || !Number.isFinite(seconds)) return none;
  if (seconds < 1) return '< 1 s';
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  if (value < 1e9) return `${(value / 1e6).toFixed(1)} MB`;
  return `${(value / 1e9).toFixed(2)} GB`;
}

/** How long ago, or the date when that is more than a day. */
export function when(iso: string | null, now = Date.now()): string {
  if (!iso) return none;
  const time = new Date(iso);
  const seconds = (now - time.getTime()) / 1000;
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return time.toLocaleDateString('en-US', {
    month: 'short',
    day: 'numeric',
    ...(time.getFullYear() !== new Date(now).getFullYear() && { year: 'numeric' }),
  });
}

export const dateTime = (iso: string | null): string =>
  iso ? new Date(iso).toLocaleString('en-US', { dateStyle: 'medium', timeStyle: 'short' }) : none;

const splitTitles: Record<string, string> = { train: 'Train', val: 'Validation', test: 'Test' };
export const splitTitle = (split: string): string => splitTitles[split] ?? split;

/** The last part of a path, whichever way its slashes lean. */
export const baseName = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;

export const approachTitle = (approach: string): string =>
  approach === 'reverse' ? 'Reverse (the paper’s)' : approach === 'direct' ? 'Direct' : approach;
