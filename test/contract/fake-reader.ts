/** A reader that reads nothing: what it does is said by the name of the file. */
import type { FromReader, ReadRequest } from '../../src-main/reader/protocol.ts';
import { memoryExitCode } from '../../src-main/reader/protocol.ts';

const send = (message: FromReader) => process.send!(message);
process.on('disconnect', () => process.exit(0));
process.on('message', ({ id, input }: ReadRequest) => {
  const name = 'place' in input ? input.place.folder.split('/').at(-1)! : '';
  // Some time passes first, so that others are under way too.
  setTimeout(() => {
    if (name.startsWith('crash')) process.kill(process.pid, 'SIGSEGV');
    else if (name.startsWith('bloat')) process.exit(memoryExitCode);
    else if (!name.startsWith('hang'))
      send({ id, output: { contentType: `pid ${process.pid}`, data: null, hash: name, stamp: null } });
  }, 30);
});
if (process.argv[2] === '1') {
  process.stderr.write('no such library\n');
  process.exit(3);
}
send({ ready: true });
