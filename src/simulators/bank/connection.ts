/**
 * One connection of a switch: frames, sign-on, keys, MACs. What is known here (signed on, keys) belongs to this
 * connection alone, because each process of a switch has its own.
 */
import type { Socket } from 'node:net';
import {
  binary2,
  type Codec,
  type Draft,
  FrameSplitter,
  FramingError,
  Iso8583Error,
  type Message,
} from '../../../iso8583/index.ts';
import { answerFields } from './answer.ts';
import type { Counts } from './counts.ts';
import { transmissionTime } from './dates.ts';
import type { DesKey, MacAlgorithm } from './des.ts';
import type { Channel, Desk } from './desk.ts';
import type { Verdict } from './issuer.ts';
import { ConnectionKeys, type KeySet, keyField } from './keys.ts';
import type { Log } from './options.ts';
import { Outbox } from './outbox.ts';
import { decodePin } from './pin.ts';
import { type Echo, echoOf, type FinancialRequest, financialMtis, type RequestClass, readRequest } from './request.ts';
import type { Timings } from './timings.ts';

/** Larger than any message of the dialect that means something here. */
const MAX_FRAME_BYTES = 4096;
const NO_MAC = new Uint8Array(8);

interface ConnectionOptions {
  readonly codec: Codec;
  readonly desk: Desk;
  readonly counts: Counts;
  readonly zmk: DesKey;
  readonly mac: 'none' | MacAlgorithm;
  readonly keyGraceMs: number;
  readonly timings: Timings | undefined;
  readonly log: Log;
}

/** What an answer takes from its request. */
interface AnswerWay {
  readonly mti: string;
  readonly echo: Echo;
  /** `performance.now()` when its request came off the network. */
  readonly arrivedMs: number;
  /** Keys for its MAC. */
  keys: KeySet | undefined;
}

export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #splitter = new FrameSplitter(binary2, MAX_FRAME_BYTES);
  readonly #outbox: Outbox;
  readonly #keys: ConnectionKeys;
  #signedOn = false;
  #acquirerId = '';
  #stan = 0;
  /** `performance.now()` of the chunk that is being read: who is last in it has waited for the others. */
  #chunkMs = 0;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outbox = new Outbox(socket, options.codec);
    this.#keys = new ConnectionKeys(options.keyGraceMs);
    socket.setNoDelay(true);
    socket.on('data', chunk => this.#receive(chunk));
    // 'close' follows, and is where the server forgets this connection.
    socket.on('error', () => options.counts.add('connection.error'));
  }

  get signedOn(): boolean {
    return this.#signedOn;
  }

  /** Offers new keys (0800/101). They serve when the switch has taken them; the old ones serve until then. */
  offerKeys(): void {
    const stan = this.#nextStan();
    this.#request(stan, '101', keyField(this.#keys.offer(stan), this.#options.zmk));
  }

  /** The bank's own echo test (0800/301). */
  echo(): void {
    this.#request(this.#nextStan(), '301');
  }

  /** Sends what is packed and closes. */
  end(): void {
    this.#outbox.flush();
    this.#socket.end(() => this.#socket.destroy());
  }

  #receive(chunk: Buffer): void {
    this.#chunkMs = performance.now();
    try {
      this.#splitter.push(chunk, frame => this.#message(this.#options.codec.unpack(frame)));
    } catch (error) {
      if (!(error instanceof Iso8583Error || error instanceof FramingError)) throw error;
      // Nothing of the frame goes into the log: what cannot be decoded may hold a card number anywhere.
      this.#options.counts.add('garbage');
      this.#options.log('garbage', { reason: error instanceof Iso8583Error ? error.code : error.message });
      this.#socket.destroy();
    }
  }

  #message(message: Message): void {
    if (this.#socket.destroyed) return;
    const { mti } = message;
    this.#options.counts.add(`received.${mti}`);
    const financial = financialMtis[mti];
    if (financial) this.#financial(message, financial.class, financial.answer);
    else if (mti === '0800') this.#network(message);
    else if (mti === '0810') this.#networkAnswer(message);
    else if (/^\d\d[02]\d$/.test(mti)) this.#unsupported(message);
    else this.#options.counts.add('unexpected');
  }

  #financial(message: Message, kind: RequestClass, answerMti: string): void {
    const { desk, mac } = this.#options;
    const nowMs = performance.now();
    const usable = this.#keys.usable(nowMs);
    const way: AnswerWay = { mti: answerMti, echo: echoOf(message), arrivedMs: this.#chunkMs, keys: usable[0] };
    if (!this.#signedOn) {
      this.#refuse(way, '91', 'not-signed-on');
      return;
    }
    if (mac !== 'none') {
      const keys = this.#verifyMac(message, usable, mac);
      if (!keys) {
        if (usable.length === 0) this.#refuse(way, '91', 'no-keys');
        else this.#refuse(way, 'A0', 'wrong-mac');
        return;
      }
      this.#keys.used(keys, nowMs);
      // Under the keys of the request, so that a key change in between leaves no doubt which they are.
      way.keys = keys;
    }
    const request = readRequest(message, kind, way.echo);
    if (request) desk.handle(request, this.#channel(request, usable, way));
    else this.#refuse(way, '30', 'malformed');
  }

  /** An answer about the connection or the form of the message: the desk never sees it, and the book neither. */
  #refuse(way: AnswerWay, responseCode: string, outcome: string): void {
    this.#options.counts.add(`refused.${outcome}`);
    this.#answer(way, { responseCode, settlementDate: '', outcome });
  }

  #channel(request: FinancialRequest, usable: readonly KeySet[], way: AnswerWay): Channel {
    return {
      answer: (verdict, wrongMac) => this.#answer(way, verdict, wrongMac),
      checkPin: pin => {
        if (usable.length === 0) return 'no-keys';
        const { pan, pinBlock } = request;
        const keys = pinBlock && usable.find(({ zpk }) => decodePin(pinBlock, zpk, pan) === pin);
        if (keys) this.#keys.used(keys, performance.now());
        return keys ? 'right' : 'wrong';
      },
      answerNobody: () => {
        const stan = String((Number(request.reference.stan) + 500_000) % 1_000_000).padStart(6, '0');
        const verdict: Verdict = { responseCode: '00', settlementDate: '', authCode: stan, outcome: 'stray' };
        this.#answer({ ...way, echo: { ...way.echo, 11: stan } }, verdict);
      },
      hangUp: () => this.#socket.destroy(),
    };
  }

  /** The keys under which the MAC is right. With a second bitmap it is DE128: a DE64 would leave DE90 open to change. */
  #verifyMac(message: Message, usable: readonly KeySet[], algorithm: MacAlgorithm): KeySet | undefined {
    const field = message.fields().some(number => number > 64) ? 128 : 64;
    const mac = message.content(field);
    const covered = message.coverOf(field);
    if (!mac || !covered) return undefined;
    return usable.find(({ zak }) => zak.mac(algorithm, covered).equals(mac));
  }

  #answer({ mti, echo, arrivedMs, keys }: AnswerWay, verdict: Verdict, wrongMac = false): void {
    const fields = answerFields(echo, verdict);
    this.#options.timings?.answered(echo[37] ?? '', performance.now() - arrivedMs);
    this.#options.counts.add(`sent.${mti}.${verdict.responseCode}`);
    const { mac } = this.#options;
    if (mac === 'none' || !keys) {
      this.#send({ mti, fields });
      return;
    }
    fields[64] = NO_MAC;
    this.#send({ mti, fields }, bytes => {
      const covered = bytes.subarray(0, -8);
      const value = keys.zak.mac(mac, covered);
      if (wrongMac) value[0] = (value[0] ?? 0) ^ 0xff;
      bytes.set(value, covered.length);
    });
  }

  #network(message: Message): void {
    const fields: Record<number, string> = {};
    for (const number of [7, 11, 32, 70]) {
      const value = message.text(number);
      if (value !== undefined) fields[number] = value;
    }
    const code = fields[70];
    fields[39] = '00';
    if (fields[7] === undefined || fields[11] === undefined || code === undefined) fields[39] = '30';
    else if (code === '001') {
      this.#signedOn = true;
      this.#acquirerId = fields[32] ?? '';
    } else if (code === '002') this.#signedOn = false;
    else if (code === '162') fields[48] = keyField(this.#keys.issue(performance.now()), this.#options.zmk);
    else if (code !== '301') fields[39] = '40';
    this.#options.counts.add(`network.${code ?? 'none'}`);
    this.#send({ mti: '0810', fields });
  }

  #networkAnswer(message: Message): void {
    const { counts } = this.#options;
    const accepted = message.text(39) === '00';
    if (message.text(70) === '301') counts.add('echo.answered');
    else if (!this.#keys.answered(message.text(11) ?? '', accepted, performance.now())) counts.add('unexpected');
    else counts.add(accepted ? 'keys.taken' : 'keys.refused');
  }

  #unsupported(message: Message): void {
    const { mti } = message;
    this.#options.counts.add('refused.unsupported');
    const answerMti = `${mti.slice(0, 2)}${Number(mti.charAt(2)) + 1}0`;
    this.#send({ mti: answerMti, fields: { ...echoOf(message), 39: '40' } });
  }

  #request(stan: string, code: string, keys?: string): void {
    this.#options.counts.add(`sent.0800.${code}`);
    const acquirerId = this.#acquirerId === '' ? undefined : this.#acquirerId;
    this.#send({ mti: '0800', fields: { 7: transmissionTime(), 11: stan, 32: acquirerId, 48: keys, 70: code } });
  }

  #send(message: Draft, finish?: (bytes: Buffer) => void): void {
    if (this.#outbox.send(message, finish)) return;
    this.#options.counts.add('connection.unread');
    this.#options.log('connection cut: the peer does not read');
    this.#socket.destroy();
  }

  #nextStan(): string {
    this.#stan = (this.#stan % 999_999) + 1;
    return String(this.#stan).padStart(6, '0');
  }
}
