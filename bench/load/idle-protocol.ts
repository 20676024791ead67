/** What the benchmark and the process that holds idle connections say to each other. */

export type IdleCommand =
  | {
      readonly do: 'open';
      readonly terminalsFile: string;
      /** HOST:PORT of the switches: terminals are spread over them. */
      readonly switches: readonly string[];
      /** How many of the terminals load: all others are idle. */
      readonly loading: number;
    }
  | { readonly do: 'count' };

export type IdleReply =
  /** How many connections are signed on and open. */
  { readonly kind: 'open'; readonly count: number } | { readonly kind: 'failed'; readonly why: string };
