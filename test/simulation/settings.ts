/** Figures of the world that several parts share. Milliseconds, unless said otherwise. */
export const settings = {
  /** Of the terminal's wait: from the last byte of a request to its answer. */
  requestBudgetMs: 15_000,
  terminalWaitMs: 20_000,
  replayWindowMs: 60_000,
  closingReserveMs: 500,
  maxInFlightPerConnection: 8,
  idleTimeoutMs: 60_000,
  refusalsRemembered: 1000,
  standIn: true,
  voidDays: 0,
  refundDays: 30,
  preAuthorisationDays: 30,
  completionMaxPercent: 115,
  adjustmentMaxPercent: 120,
  owedPollMs: 1500,
  recoveryPollMs: 1000,
  leaseMs: 3000,
  timeZoneMinutes: 480,
  /** Of a link. */
  linkTimeoutMs: 6000,
  echoIntervalMs: 10_000,
  longestDelayMs: 40_000,
  firstRetryMs: 400,
  maxRetryMs: 8000,
  maxTries: 14,
} as const;
