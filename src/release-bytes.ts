// Memory of large bodies. The garbage collector looks at what buffers hold only when it has become 64 MB, whatever else there is.

/** Gives the memory of bytes back at once that nobody will look at any more: they are empty then. What is shared with others stays. */
export function releaseBytes({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
