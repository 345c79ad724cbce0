import { expect, test } from 'vitest';
import { connect, type Wire, type WireListener } from '../../src-renderer/client.ts';
import type { ClientFrame } from '../../src-shared/contract.ts';

/** A wire under the test's hand: what was sent, and ways to open, answer and lose it. */
function fakeWire() {
  const wires: { listener: WireListener; sent: ClientFrame[] }[] = [];
  const openWire = (listener: WireListener): Wire => {
    const sent: ClientFrame[] = [];
    wires.push({ listener, sent });
    return { send: (frame) => sent.push(frame), close: () => listener.closed() };
  };
  return { wires, openWire };
}
const afterReconnect = () => new Promise((resolve) => setTimeout(resolve, 300));

test('a call made before the connection is open is sent when it opens', async () => {
  const { wires, openWire } = fakeWire();
  const client = connect(openWire);
  const runs = client.call('runs.list', {});
  expect(wires[0].sent).toEqual([]);
  wires[0].listener.opened();
  wires[0].listener.frame({ id: wires[0].sent[0].id, output: [] });
  expect(await runs).toEqual([]);
  client.close();
});

test('a read under way when the connection is lost is asked again on the next one', async () => {
  const { wires, openWire } = fakeWire();
  const client = connect(openWire);
  wires[0].listener.opened();
  const runs = client.call('runs.list', {});
  wires[0].listener.closed();
  await afterReconnect();
  wires[1].listener.opened();
  expect(wires[1].sent.map((frame) => frame.call)).toEqual(['runs.list']);
  wires[1].listener.frame({ id: wires[1].sent[0].id, output: [] });
  expect(await runs).toEqual([]);
  client.close();
});

test('a change under way when the connection is lost fails, for it may have happened', async () => {
  const { wires, openWire } = fakeWire();
  const client = connect(openWire);
  wires[0].listener.opened();
  const started = client.call('runs.start', { dataset: 'd', model: 'm', method: 'finetune' });
  wires[0].listener.closed();
  await expect(started).rejects.toMatchObject({ code: 'unavailable' });
  await afterReconnect();
  wires[1].listener.opened();
  expect(wires[1].sent).toEqual([]);
  client.close();
});

test('events reach their listeners on every connection until they unsubscribe', async () => {
  const { wires, openWire } = fakeWire();
  const client = connect(openWire);
  const seen: number[] = [];
  const stop = client.on('run.deleted', ({ run }) => seen.push(run));
  wires[0].listener.opened();
  wires[0].listener.frame({ event: 'run.deleted', data: { run: 1 } });
  wires[0].listener.closed();
  await afterReconnect();
  wires[1].listener.opened();
  wires[1].listener.frame({ event: 'run.deleted', data: { run: 2 } });
  stop();
  wires[1].listener.frame({ event: 'run.deleted', data: { run: 3 } });
  expect(seen).toEqual([1, 2]);
  client.close();
});

test('an error frame rejects with its code, sentence and hint', async () => {
  const { wires, openWire } = fakeWire();
  const client = connect(openWire);
  wires[0].listener.opened();
  const call = client.call('runs.get', { run: 9 });
  const error = { code: 'not-found' as const, message: 'There is no run 9.', hint: 'Look at the list.' };
  wires[0].listener.frame({ id: wires[0].sent[0].id, error });
  await expect(call).rejects.toMatchObject(error);
  client.close();
});
