/** What a financial request asks the bank to do, by its MTI, the type in DE3, DE25, and whether DE90 names an original. */
import type { Sign, Tie } from './book-lines.ts';
import type { FinancialRequest } from './request.ts';

export interface Operation {
  /** Absent for an inquiry, which posts nothing. */
  readonly sign?: Sign;
  /** How it hangs on the original that DE90 names; absent where it stands alone. */
  readonly tie?: Tie;
}

const inquiry: Operation = {};
const debit: Operation = { sign: 'D' };
const credit: Operation = { sign: 'C' };
const hold: Operation = { sign: 'H' };
const addition: Operation = { sign: 'H', tie: 'addition' };
const release: Operation = { sign: 'R', tie: 'release' };
const completion: Operation = { sign: 'D', tie: 'completion' };
const cancellation: Operation = { sign: 'C', tie: 'void' };
const refund: Operation = { sign: 'C', tie: 'refund' };
const debitAdjustment: Operation = { sign: 'D', tie: 'adjustment' };
const creditAdjustment: Operation = { sign: 'C', tie: 'adjustment' };

/** The operation, or why there is none: 30 when it needs an original and DE90 names none, 40 when it is not done here. */
export function operationOf(request: FinancialRequest): Operation | '30' | '40' {
  const type = request.processingCode.slice(0, 2);
  if (type === '30' || type === '31') return inquiry;
  if (request.mti.startsWith('01')) return authorisation(type, request);
  switch (type) {
    case '00':
    case '01':
    case '09':
      return completes(request) ? needsOriginal(completion, request) : debit;
    case '02':
      return needsOriginal(debitAdjustment, request);
    case '20':
      if (!request.original) return credit;
      return request.class === 'advice' ? refund : cancellation;
    case '21':
      return credit;
    case '22':
      return request.original ? creditAdjustment : credit;
    default:
      return '40';
  }
}

/** An 0100 moves no money, whatever its type: it holds, adds to a hold or releases one. */
function authorisation(type: string, request: FinancialRequest): Operation | '30' | '40' {
  if (type === '20') return needsOriginal(release, request);
  if (type !== '03' && type !== '00' && type !== '01' && type !== '09') return '40';
  return request.conditionCode === '60' || request.original ? needsOriginal(addition, request) : hold;
}

/** DE25 06 says so; by mail or telephone it is 08 or 18, and the MTI in DE90 says it. */
function completes({ conditionCode, original }: FinancialRequest): boolean {
  return conditionCode === '06' || (original?.mti.startsWith('01') ?? false);
}

function needsOriginal(operation: Operation, { original }: FinancialRequest): Operation | '30' {
  return original ? operation : '30';
}
