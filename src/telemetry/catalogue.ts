/**
 * Every metric of the switch. `docs/reference/metrics.md` is generated from this (`metricsMarkdown`).
 *
 * Labels take fixed words, codes and names of links only: never anything that a terminal or a card could make up
 * without bound.
 */

export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds, of a histogram. */
  readonly buckets?: readonly number[];
}

/** Seconds; fine around what a purchase takes, coarse up to the terminal's wait. */
const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45, 60] as const;
/** Seconds, for a step inside the house. */
const stepSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] as const;

export const catalogue = {
  transactions: {
    type: 'counter',
    name: 'switch_transactions_total',
    help: 'Answers given to terminals, by kind of message, how it ended and response code.',
    labels: ['kind', 'outcome', 'code'],
  },
  transactionSeconds: {
    type: 'histogram',
    name: 'switch_transaction_seconds',
    help: 'From the last byte of a request to its answer, requests whose bank never answered included.',
    labels: ['kind', 'outcome'],
    buckets: requestSeconds,
  },
  unanswered: {
    type: 'counter',
    name: 'switch_unanswered_total',
    help: 'Requests that were deliberately not answered, so that the terminal reverses.',
    labels: ['kind', 'reason'],
  },
  recoveries: {
    type: 'counter',
    name: 'switch_recoveries_total',
    help: 'Owners whose open transactions this process drove to an end.',
    labels: [],
  },
  recovered: {
    type: 'counter',
    name: 'switch_recovered_transactions_total',
    help: 'Transactions found open at an owner that was lost.',
    labels: [],
  },
  fenced: {
    type: 'counter',
    name: 'switch_fenced_total',
    help: 'Times this process found itself fenced. It then answers nothing more.',
    labels: [],
  },
  closeRetries: {
    type: 'counter',
    name: 'switch_close_retries_total',
    help: 'CLOSE was not known to be durable and was tried again.',
    labels: [],
  },

  storedSent: {
    type: 'counter',
    name: 'switch_stored_messages_sent_total',
    help: 'Reversals and stored advices sent to a bank, repeats included.',
    labels: ['link', 'kind', 'repeat'],
  },
  storedEnded: {
    type: 'counter',
    name: 'switch_stored_messages_ended_total',
    help: 'Reversals and stored advices that came to an end: reversed, approved, or in dispute (a case for a person).',
    labels: ['link', 'kind', 'state'],
  },
  storeAndForwardDepth: {
    type: 'gauge',
    name: 'switch_store_and_forward_depth',
    help: 'Reversals and advices that this process owes to banks.',
    labels: [],
  },
  casesOpen: {
    type: 'gauge',
    name: 'switch_cases_open',
    help: 'Disputes that wait for a person (`npm run -s cases`), of all processes.',
    labels: [],
  },

  linkUp: {
    type: 'gauge',
    name: 'switch_link_up',
    help: '1 while the link is signed on at its bank.',
    labels: ['link'],
  },
  linkInFlight: {
    type: 'gauge',
    name: 'switch_link_in_flight',
    help: 'Requests at the bank without an answer.',
    labels: ['link'],
  },
  linkRequests: {
    type: 'counter',
    name: 'switch_link_requests_total',
    help: 'Requests handed to the link, by how they ended.',
    labels: ['link', 'outcome'],
  },
  linkSeconds: {
    type: 'histogram',
    name: 'switch_link_seconds',
    help: 'From sending to a bank to its answer or its timeout: timeouts count with the time that was waited.',
    labels: ['link', 'outcome'],
    buckets: requestSeconds,
  },
  lateAnswers: {
    type: 'counter',
    name: 'switch_link_late_answers_total',
    help: 'Answers that no one waited for any more: consumed, and compared with the journal. known: its request was found.',
    labels: ['link', 'known'],
  },
  linkEvents: {
    type: 'counter',
    name: 'switch_link_events_total',
    help: 'Other happenings on a link, by a fixed word.',
    labels: ['link', 'event'],
  },

  terminalConnections: {
    type: 'gauge',
    name: 'switch_terminal_connections',
    help: 'Open terminal connections.',
    labels: [],
  },
  terminalConnectionsClosed: {
    type: 'counter',
    name: 'switch_terminal_connections_closed_total',
    help: 'Terminal connections that ended, by why.',
    labels: ['reason'],
  },
  terminalFrames: {
    type: 'counter',
    name: 'switch_terminal_frames_total',
    help: 'Messages from terminals, by way (tcp, http) and what became of them.',
    labels: ['way', 'outcome'],
  },
  terminalFailures: {
    type: 'counter',
    name: 'switch_terminal_failures_total',
    help: 'Messages whose handling broke: a bug. Each has an error line in the log.',
    labels: [],
  },
  terminalBadBodies: {
    type: 'counter',
    name: 'switch_terminal_bad_bodies_total',
    help: 'HTTP bodies that held no message that can be answered.',
    labels: [],
  },
  terminalRefusals: {
    type: 'counter',
    name: 'switch_terminal_refusals_total',
    help: 'Messages that the terminal dialect answers by itself (unsupported, format), by a fixed word.',
    labels: ['reason'],
  },
  terminalInFlight: {
    type: 'gauge',
    name: 'switch_terminal_in_flight',
    help: 'Requests of terminals without an answer, over all doors.',
    labels: [],
  },

  hsmCommands: {
    type: 'counter',
    name: 'switch_hsm_commands_total',
    help: 'HSM commands, by code and outcome.',
    labels: ['command', 'outcome'],
  },
  hsmSeconds: {
    type: 'histogram',
    name: 'switch_hsm_seconds',
    help: 'From asking the HSM to its answer or giving up.',
    labels: ['command'],
    buckets: stepSeconds,
  },
  hsmConnections: {
    type: 'gauge',
    name: 'switch_hsm_connections',
    help: 'Connections to the HSM that are up.',
    labels: [],
  },

  registryEvents: {
    type: 'counter',
    name: 'switch_registry_events_total',
    help: 'Happenings in the registry (cache misses, fallbacks to Postgres, rebuilds), by a fixed word.',
    labels: ['event'],
  },

  journalBatchSize: {
    type: 'histogram',
    name: 'switch_journal_batch_size',
    help: 'Changes written in one commit: `write` (OPEN and CLOSE), `open-linked`, `close-whole`.',
    labels: ['kind'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
  journalWaiting: {
    type: 'gauge',
    name: 'switch_journal_waiting',
    help: 'Changes that wait for a commit, by what kind it is.',
    labels: ['kind'],
  },
  journalFlushSeconds: {
    type: 'histogram',
    name: 'switch_journal_flush_seconds',
    help: 'How long one commit took.',
    labels: ['kind'],
    buckets: stepSeconds,
  },
  journalCollisions: {
    type: 'counter',
    name: 'switch_journal_collisions_total',
    help: 'Batches in which an identity or a place was taken: Postgres refused them (error 23505 in its log), and what was free was written at a second try.',
    labels: [],
  },
  projected: {
    type: 'counter',
    name: 'switch_projected_transactions_total',
    help: 'Rows of the reading table `transactions` that were written or brought up to date.',
    labels: [],
  },
  projectionSeconds: {
    type: 'histogram',
    name: 'switch_projection_seconds',
    help: 'How long one batch of the projection took.',
    labels: [],
    buckets: stepSeconds,
  },
  projectionLag: {
    type: 'gauge',
    name: 'switch_projection_lag_seconds',
    help: 'How long the oldest change of this process that is due for `transactions` has waited. Lists are behind by it; limits are not.',
    labels: [],
  },
  projectionWaiting: {
    type: 'gauge',
    name: 'switch_projection_waiting',
    help: 'Changes of this process that wait for the projection.',
    labels: [],
  },
  projectionTroubles: {
    type: 'counter',
    name: 'switch_projection_troubles_total',
    help: 'failed: a batch is tried again after a pause. overflow: too many waited one by one, and are found in the journal again.',
    labels: ['trouble'],
  },
} as const satisfies Record<string, MetricEntry>;

export type Catalogue = typeof catalogue;

/** The text of `docs/reference/metrics.md`. */
export function metricsMarkdown(): string {
  const rows = Object.values<MetricEntry>(catalogue).map(one => {
    const labels = one.labels.length === 0 ? '-' : one.labels.map(label => `\`${label}\``).join(' ');
    return `| \`${one.name}\` | ${one.type} | ${labels} | ${one.help} |`;
  });
  return [head, '| metric | type | labels | what it counts |', '|---|---|---|---|', ...rows, ''].join('\n');
}

const head = `# Metrics

Served at \`/metrics\` on METRICS_LISTEN, besides the process metrics of prom-client (\`process_*\`, \`nodejs_*\`, among
them the event loop's delay, \`nodejs_eventloop_lag_*\`). This page is generated from \`src/telemetry/catalogue.ts\`
(\`UPDATE_DOCS=1\` with the tests writes it); a test holds the two together.
`;
