import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { holdLease, newOwner, processId } from '../../src-main/service/lease.ts';
import { openStore, type Store } from '../../src-main/store/store.ts';

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cotune-lease-'));
  store = openStore(join(folder, 'cotune.sqlite'));
  vi.useFakeTimers({ toFake: ['Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Looks every two seconds for so many, as a service does; `meanwhile` happens at each look. */
function watch(lease: ReturnType<typeof holdLease>, seconds: number, meanwhile: () => void = () => {}): void {
  for (let at = 0; at < seconds; at += 2) {
    vi.advanceTimersByTime(2000);
    meanwhile();
    lease.renew();
    lease.takeOver();
  }
}

/** Of a process that exists, this one: its id says nothing. */
const hung = () => {
  const owner = newOwner();
  return { owner, lease: holdLease(store, owner) };
};

test('an owner whose process is gone loses its lease at the first look', () => {
  const mine = holdLease(store, newOwner());
  // No system gives out ids this high.
  const dead = `${2 ** 30}#dead`;
  const elsewhere = `${2 ** 30}#elsewhere`;
  const { place } = store.leases.list()[0];
  store.leases.insert(dead, place);
  store.leases.insert(elsewhere, 'another machine');
  mine.takeOver();
  expect(store.leases.isHeld(dead)).toBe(false);
  expect(store.leases.isHeld(elsewhere)).toBe(true);
  expect(processId(dead)).toBe(2 ** 30);
});

test('an owner that is silent for half a minute loses its lease, one that beats does not', () => {
  const mine = holdLease(store, newOwner());
  const [silent, beating] = [hung(), hung()];
  watch(mine, 26, () => beating.lease.renew());
  expect(store.leases.isHeld(silent.owner)).toBe(true);
  watch(mine, 10, () => beating.lease.renew());
  expect(store.leases.isHeld(silent.owner)).toBe(false);
  expect(store.leases.isHeld(beating.owner)).toBe(true);
});

test('a machine that slept for hours, or whose clock jumped, costs nobody a lease', () => {
  const mine = holdLease(store, newOwner());
  const other = hung();
  watch(mine, 4, () => other.lease.renew());
  vi.advanceTimersByTime(8 * 3600_000);
  mine.takeOver();
  expect(store.leases.isHeld(other.owner)).toBe(true);
  // It renews its lease when it is awake again.
  watch(mine, 60, () => other.lease.renew());
  expect(store.leases.isHeld(other.owner)).toBe(true);
  vi.setSystemTime(Date.now() - 48 * 3600_000);
  watch(mine, 60, () => other.lease.renew());
  expect(store.leases.isHeld(other.owner)).toBe(true);
});

test('a lease that is long overdue by the clock is taken after two beats', () => {
  const other = hung();
  vi.advanceTimersByTime(3600_000);
  const late = holdLease(store, newOwner());
  watch(late, 8);
  expect(store.leases.isHeld(other.owner)).toBe(true);
  watch(late, 6);
  expect(store.leases.isHeld(other.owner)).toBe(false);
});

test('an owner that wakes after its lease was taken is told so once, and holds one again', () => {
  const mine = holdLease(store, newOwner());
  const other = hung();
  watch(mine, 40);
  expect(store.leases.isHeld(other.owner)).toBe(false);
  expect([other.lease.renew(), other.lease.renew()]).toEqual([false, true]);
  expect(store.leases.isHeld(other.owner)).toBe(true);
});
