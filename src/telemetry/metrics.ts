import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Catalogue, catalogue, type MetricEntry } from './catalogue.ts';

type Meter<E extends MetricEntry> = E extends { readonly type: 'counter' }
  ? Counter<E['labels'][number]>
  : E extends { readonly type: 'gauge' }
    ? Gauge<E['labels'][number]>
    : Histogram<E['labels'][number]>;

/** The meters of the catalogue, by their names in the code. */
export type Meters = { readonly [K in keyof Catalogue]: Meter<Catalogue[K]> };

export interface Metrics {
  readonly meters: Meters;
  /** Content type of `exposition`. */
  readonly contentType: string;
  /** Everything, in the Prometheus text format. */
  exposition(): Promise<string>;
}

/** Meters in a registry of their own, so that two switches in one process (tests) do not share counters. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const meters = Object.fromEntries(
    Object.entries<MetricEntry>(catalogue).map(([key, entry]) => [key, meter(entry, registry)]),
  );
  return {
    meters: meters as unknown as Meters,
    contentType: registry.contentType,
    exposition: () => registry.metrics(),
  };
}

function meter(entry: MetricEntry, registry: Registry): Counter | Gauge | Histogram {
  const settings = { name: entry.name, help: entry.help, labelNames: [...entry.labels], registers: [registry] };
  switch (entry.type) {
    case 'counter':
      return new Counter(settings);
    case 'gauge':
      return new Gauge(settings);
    case 'histogram':
      return new Histogram({ ...settings, ...(entry.buckets && { buckets: [...entry.buckets] }) });
  }
}
