/** Frees the memory of an array that nothing reads any more. Not of a view: what else its memory holds is another's. */
export function giveBack({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached && byteLength === buffer.byteLength)
    buffer.transfer(0);
}
