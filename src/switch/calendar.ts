import type { Clock } from './ports.ts';

/** The dates and times of a moment as the messages want them. */
export interface Moment {
  readonly ms: number;
  /** DE7 MMDDhhmmss in UTC. */
  readonly transmissionAt: string;
  /** DE12 hhmmss and DE13 MMDD in the acquirer's zone. */
  readonly localTime: string;
  readonly localDate: string;
  /** Acquirer's business date YYYY-MM-DD. */
  readonly businessDate: string;
  /** YDDD: the last digit of the year and the day of it, the head of an RRN. */
  readonly yearDay: string;
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/**
 * The calendar of this switch. The wall clock may step backwards; DE7, RRN and dates never do (laws, *Three dates*):
 * a moment is never earlier than the one before.
 */
export class Calendar {
  readonly #clock: Clock;
  readonly #offsetMs: number;
  #lastMs = 0;
  /** One moment a second is made; the second is all that DE7 and DE12 show. */
  #cached: Moment | null = null;

  constructor(clock: Clock, utcOffsetMinutes: number) {
    this.#clock = clock;
    this.#offsetMs = utcOffsetMinutes * 60_000;
  }

  /** The wall clock itself, which may step. */
  wallMs(): number {
    return this.#clock.nowMs();
  }

  now(): Moment {
    this.#lastMs = Math.max(this.#lastMs, this.#clock.nowMs());
    const second = Math.floor(this.#lastMs / 1000) * 1000;
    if (this.#cached?.ms !== second) this.#cached = moment(second, this.#offsetMs);
    return this.#cached;
  }
}

function moment(ms: number, offsetMs: number): Moment {
  const utc = civil(ms);
  const local = civil(ms + offsetMs);
  const dayOfYear = Math.floor((ms + offsetMs) / 86_400_000) - daysFromCivil(local.year, 1, 1) + 1;
  return {
    ms,
    transmissionAt: two(utc.month) + two(utc.day) + two(utc.hour) + two(utc.minute) + two(utc.second),
    localTime: two(local.hour) + two(local.minute) + two(local.second),
    localDate: two(local.month) + two(local.day),
    businessDate: `${local.year}-${two(local.month)}-${two(local.day)}`,
    yearDay: `${local.year % 10}${String(dayOfYear).padStart(3, '0')}`,
  };
}

/** Days from one date YYYY-MM-DD to another; negative when the other is earlier. */
export function daysBetween(from: string, to: string): number {
  const days = (date: string): number => {
    const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
    return daysFromCivil(year, month, day);
  };
  return days(to) - days(from);
}

/** Days since 1970-01-01 of a Gregorian date, and back: arithmetic, so that the core needs no `Date`. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

function civil(ms: number): { year: number; month: number; day: number; hour: number; minute: number; second: number } {
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400) + 719_468;
  const era = Math.floor(days / 146_097);
  const dayOfEra = days - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const ofDay = seconds - Math.floor(seconds / 86_400) * 86_400;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    hour: Math.floor(ofDay / 3600),
    minute: Math.floor(ofDay / 60) % 60,
    second: ofDay % 60,
  };
}
