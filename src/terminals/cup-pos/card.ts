import type { Message } from '../../../iso8583/index.ts';
import { Pan, Secret } from '../../switch/ports.ts';
import { type Or, refuse } from './refusal.ts';

/** What a message says about the card. */
export interface Card {
  readonly pan: Pan;
  readonly track2?: Secret<string> | undefined;
  readonly pinBlock?: Secret<string> | undefined;
}

/** PAN from DE2 or track 2, track 2 and PIN block, with the forms that DE53 declares (cup-pos §5.2). */
export function readCard(message: Message): Or<Card> {
  const control = message.text(53);
  if (control?.[2] === '1') return refuse('40', 'encrypted-track');
  const pan = readPan(message);
  if ('refusal' in pan) return pan;
  const pinBlock = readPinBlock(message, control);
  if ('refusal' in pinBlock) return pinBlock;
  const track2 = message.text(35);
  return {
    value: {
      pan: pan.value,
      track2: track2 === undefined ? undefined : new Secret(track2),
      pinBlock: pinBlock.value,
    },
  };
}

export function readPan(message: Message): Or<Pan> {
  const printed = message.text(2);
  const onTrack = message.text(35)?.split('=', 1)[0];
  const digits = printed ?? onTrack;
  if (digits === undefined) return refuse('14', 'missing-pan');
  // Two card numbers in one message: whichever we took, the other would be believed somewhere else.
  if (onTrack !== undefined && onTrack !== digits) return refuse('14', 'pan-differs-from-track');
  const pan = new Pan(digits);
  return pan.isWellFormed ? { value: pan } : refuse('14', 'bad-pan');
}

/** DE53: digit 1 is the form of the PIN block, digit 2 its algorithm. A block of zeros stands for no PIN (sample D). */
function readPinBlock(message: Message, control: string | undefined): Or<Secret<string> | undefined> {
  const block = message.text(52);
  if (block === undefined || /^0+$/.test(block)) return { value: undefined };
  if (control === undefined) return refuse('30', 'missing-53');
  const algorithm = control[1];
  if (algorithm !== '0' && algorithm !== '6') return refuse('40', 'pin-algorithm');
  return control[0] === '2' ? { value: new Secret(block) } : refuse('99', 'pin-format');
}
