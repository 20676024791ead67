/** A connection to a bank as the link logic sees it: whole frames in and out. The edge is tcp.ts. */
export interface Connection {
  /** Hands a message to the connection; it adds the length prefix. */
  write(message: Uint8Array): void;
  /** More is waiting to be written than a healthy bank leaves waiting. */
  readonly congested: boolean;
  /** Cuts it. May be called any number of times. */
  destroy(): void;
}

/** None of them is called before `Connect` has returned. */
export interface ConnectionEvents {
  onOpen(): void;
  /** One frame without its length prefix; safe to keep. */
  onFrame(frame: Uint8Array): void;
  /** Exactly once, whether it ever opened or not; `reason` is a fixed word. */
  onClose(reason: string): void;
}

/** Opens a connection to a bank. */
export type Connect = (host: string, port: number, events: ConnectionEvents) => Connection;
