/**
 * The kinds of message of ISO 8583:1993 and 2003 and the fields that they must have: only what no message of the kind is
 * without. Source: iso8583-fields §1, §3, §5.
 */

import type { MessageSpec } from '../spec.ts';

/** PIN, tracks: they do not come back. */
const SECRETS = [35, 36, 45, 52];

/** `version` is the first digit of the message type: 1 is 1993, 2 is 2003. */
export function iso93Messages(version: '1' | '2'): readonly MessageSpec[] {
  const request = (mti: string, name: string): MessageSpec => ({
    name,
    mti: version + mti,
    mandatory: [3, 4, 11, 12, 22, 24, 41, 42],
    conditional: [{ field: 2, when: [{ field: 35, present: false }] }],
    forbidden: [39],
  });
  /** An advice tells what was decided, so that it may have an action code. */
  const advice = (mti: string, name: string): MessageSpec => ({ ...request(mti, name), forbidden: [52] });
  const reversal = (mti: string, name: string): MessageSpec => ({
    name,
    mti: version + mti,
    mandatory: [4, 11, 12, 24, 56],
    forbidden: SECRETS,
  });
  const answer = (mti: string, name: string): MessageSpec => ({
    name,
    mti: version + mti,
    mandatory: [11, 12, 39],
    forbidden: SECRETS,
  });
  const light = (mti: string, name: string): MessageSpec => ({ name, mti: version + mti, mandatory: [11] });
  return [
    request('100', 'authorisation request'),
    answer('110', 'authorisation answer'),
    advice('120', 'authorisation advice'),
    answer('130', 'authorisation advice answer'),
    request('200', 'financial request'),
    answer('210', 'financial answer'),
    advice('220', 'financial advice'),
    answer('230', 'financial advice answer'),
    reversal('420', 'reversal advice'),
    reversal('421', 'reversal advice, repeat'),
    answer('430', 'reversal advice answer'),
    light('304', 'file action'),
    answer('314', 'file action answer'),
    light('324', 'file action advice'),
    answer('334', 'file action advice answer'),
    light('500', 'reconciliation by the acquirer'),
    answer('510', 'reconciliation answer'),
    light('520', 'reconciliation advice by the acquirer'),
    answer('530', 'reconciliation advice answer'),
    light('604', 'administrative message'),
    answer('614', 'administrative answer'),
    light('624', 'administrative advice'),
    answer('634', 'administrative advice answer'),
    { name: 'network management request', mti: `${version}804`, mandatory: [11, 12, 24], forbidden: [39] },
    // Some acquirers send these as their own (the fourth digit 0), as the public sample does.
    { name: 'network management request of an acquirer', mti: `${version}800`, mandatory: [11, 12, 24] },
    answer('814', 'network management answer'),
    answer('810', 'network management answer to an acquirer'),
  ];
}
