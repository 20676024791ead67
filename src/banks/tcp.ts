import net from 'node:net';
import { binary2, FrameSplitter, FramingError, prefixBytes, writePrefix } from '../../iso8583/index.ts';
import type { Connect } from './transport.ts';

/** The longest frame a bank may send, in bytes. */
const maxFrameBytes = 8192;
/** Bytes that may wait to be written before the link counts as congested. */
const maxUnsentBytes = 1 << 20;
const connectTimeoutMs = 5000;

/** The edge of a link: TCP with a 2-byte length. What one turn of the event loop sends is written at once. */
export const connectTcp: Connect = (host, port, events) => {
  const socket = net.connect({ host, port, noDelay: true, keepAlive: true });
  const splitter = new FrameSplitter(binary2, maxFrameBytes);
  let gathered: Uint8Array[] = [];
  let gatheredBytes = 0;
  let reason = 'closed';
  const cut = (why: string): void => {
    reason = why;
    socket.destroy();
  };
  const connecting = setTimeout(() => cut('connect-timeout'), connectTimeoutMs);
  socket.on('connect', () => {
    clearTimeout(connecting);
    events.onOpen();
  });
  socket.on('data', chunk => {
    try {
      splitter.push(chunk, frame => events.onFrame(frame));
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      // A length out of bounds: from here on nobody can say where a message begins.
      cut('framing');
    }
  });
  // No answer can come any more; waiting for our own half to be sent would only lose more requests.
  socket.on('end', () => cut('ended-by-bank'));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    reason = error.code ?? error.name;
  });
  socket.on('close', () => {
    clearTimeout(connecting);
    events.onClose(reason);
  });
  const flush = (): void => {
    const bytes = Buffer.allocUnsafe(gatheredBytes);
    let at = 0;
    for (const message of gathered) {
      at = writePrefix(binary2, bytes, at, message.length);
      bytes.set(message, at);
      at += message.length;
    }
    gathered = [];
    gatheredBytes = 0;
    socket.write(bytes);
  };
  return {
    write(message) {
      if (gathered.length === 0) setImmediate(flush);
      gathered.push(message);
      gatheredBytes += prefixBytes(binary2) + message.length;
    },
    get congested() {
      return socket.writableLength + gatheredBytes > maxUnsentBytes;
    },
    destroy() {
      socket.destroy();
    },
  };
};
