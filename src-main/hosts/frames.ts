import { type CallName, contract, type EventName, type ServiceFrame } from '../../src-shared/contract.ts';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import type { Service } from '../service/service.ts';

/** Answers one frame from a client that is not trusted to send sense. Never throws. */
export async function answer(service: Service, frame: unknown): Promise<ServiceFrame> {
  const { id, call, input } = (typeof frame === 'object' && frame !== null ? frame : {}) as Record<
    string,
    unknown
  >;
  const known = typeof id === 'number' && Number.isSafeInteger(id) ? id : -1;
  try {
    if (known < 0 || typeof call !== 'string')
      throw new CotuneError('bad-input', 'A frame needs a numeric id and the name of a call.');
    return { id: known, output: await service.call(call as CallName, (input ?? {}) as never) };
  } catch (error) {
    return { id: known, error: toErrorValue(error) };
  }
}

/** Passes every event of the service on; returns the function that ends it. */
export function forwardEvents(service: Service, send: (frame: ServiceFrame) => void): () => void {
  const ends = (Object.keys(contract.events) as EventName[]).map((event) =>
    service.on(event, (data) => send({ event, data })),
  );
  return () => {
    for (const end of ends) end();
  };
}
