/** A connection to a bank as the link logic sees it: whole frames in and out. The edge is tcp.ts. */
export interface Connection {
  /** Hands a message to the connection; it adds the length prefix. */
  write(message: Uint8Array): void;
  /** More is waiting to be written than a healthy bank leaves waiting. */
  readonly congested: boolean;
  /** Cuts it. `onClose` follows. */
  destroy(): void;
}

export interface ConnectionEvents {
  onOpen(): void;
  /** One frame without its length prefix; safe to keep. */
  onFrame(frame: Uint8Array): void;
  /** Exactly once, whether it ever opened or not. */
  onClose(reason: string): void;
}

/** Opens a connection to a bank. */
export type Connect = (host: string, port: number, events: ConnectionEvents) => Connection;
