import type { CoreEvent, Observer } from '../switch/ports.ts';
import type { Logger } from './logs.ts';
import type { Meters } from './metrics.ts';
import type { Answered } from './transaction-line.ts';

/** What the switch core tells becomes counters and log lines; one line per transaction where `logTransaction` is given. */
export function createObserver(
  meters: Meters,
  log: Logger,
  logTransaction: ((event: Answered) => void) | null,
): Observer {
  return {
    on(event: CoreEvent): void {
      switch (event.event) {
        case 'answered':
          countAnswer(meters, event);
          logTransaction?.(event);
          return;
        case 'unanswered':
          meters.unanswered.inc({ kind: event.kind, reason: event.reason });
          log.warn({ kind: event.kind, reason: event.reason }, 'not answered: the terminal reverses');
          return;
        case 'late-answer':
          meters.lateAnswers.inc({ link: event.link, known: String(event.known) });
          log.info({ link: event.link, responseCode: event.responseCode, known: event.known }, 'late answer consumed');
          return;
        case 'message-sent': {
          const { link, kind, txId, tries } = event;
          meters.storedSent.inc({ link, kind, repeat: String(tries > 1) });
          log.debug({ link, kind, txId, tries }, 'stored message sent');
          return;
        }
        case 'message-ended': {
          const { link, kind, txId, state, tries, reason } = event;
          meters.storedEnded.inc({ link, kind, state });
          if (state === 'in dispute') log.error({ link, kind, txId, tries, reason }, 'in dispute: a case for a person');
          else log.info({ link, kind, txId, tries, reason }, state === 'reversed' ? 'reversed' : 'advice taken');
          return;
        }
        case 'recovered':
          meters.recoveries.inc();
          meters.recovered.inc(event.open);
          log.warn({ epoch: event.epoch, open: event.open, elapsedMs: event.elapsedMs }, 'recovered a lost owner');
          return;
        case 'fenced':
          meters.fenced.inc();
          log.error('fenced: a sibling took over; this process answers nothing more');
          return;
        case 'message-failed':
          log.error({ link: event.link, txId: event.txId, err: event.error }, 'a try of a stored message failed');
          return;
        case 'message-stranded':
          log.error({ link: event.link, txId: event.txId }, 'a message is owed to a link that is not there');
          return;
        case 'close-retried':
          meters.closeRetries.inc();
          log.warn({ txId: event.txId, state: event.state }, 'CLOSE tried again');
          return;
        default:
          event satisfies never;
      }
    },
  };
}

function countAnswer(meters: Meters, event: Answered): void {
  const { kind, outcome } = event;
  meters.transactions.inc({ kind, outcome, code: knownForm(event.responseCode) });
  meters.transactionSeconds.observe({ kind, outcome }, event.elapsedMs / 1000);
}

/** A bank may send anything in DE39; a label takes only what has the form of a response code. */
function knownForm(responseCode: string): string {
  return /^[0-9A-Z]{2}$/.test(responseCode) ? responseCode : 'other';
}
