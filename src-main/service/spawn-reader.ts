import type { FromReader, ReadRequest } from '../reader/protocol.ts';
import type { ServiceProcess } from './spawn-process.ts';

/**
 * Starts one reader process, which may read what is below `folder` and take `maxBytes` of memory: the seam between the
 * service and its host.
 */
export type SpawnReader = (folder: string, maxBytes: number) => ServiceProcess<ReadRequest, FromReader>;
