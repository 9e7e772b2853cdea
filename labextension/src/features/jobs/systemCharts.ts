import type { TranslationBundle } from '@jupyterlab/translation';

import type { IHostMetrics, ISystemSeries } from '../../api/types/training';

/** One curve of a chart. */
export interface ISystemCurve {
  name: string;
  /** Seconds since the first sample of all. */
  seconds: number[];
  values: number[];
}

/** What is drawn together, in one unit. */
export interface ISystemChart {
  id: string;
  title: string;
  unit: string;
  curves: ISystemCurve[];
}

interface IKind {
  id: string;
  title: (trans: TranslationBundle) => string;
  /** The series in it, with what they are called where a chart has several. */
  series: Record<string, (trans: TranslationBundle) => string>;
}

const KINDS: readonly IKind[] = [
  {
    id: 'cpu',
    title: trans => trans.__('CPU (100 % is one core)'),
    series: { CPUUtilization: () => '' }
  },
  {
    id: 'memory',
    title: trans => trans.__('Memory'),
    series: { MemoryUsed: () => '' }
  },
  {
    id: 'disk',
    title: trans => trans.__('Disk'),
    series: {
      DiskRead: trans => trans.__('read'),
      DiskWritten: trans => trans.__('written')
    }
  },
  {
    id: 'network',
    title: trans => trans.__('Network'),
    series: {
      NetworkReceived: trans => trans.__('received'),
      NetworkSent: trans => trans.__('sent')
    }
  },
  {
    id: 'gpu',
    title: trans => trans.__('GPU'),
    series: { GPUUtilization: () => '' }
  },
  {
    id: 'gpu-memory',
    title: trans => trans.__('GPU memory'),
    series: { GPUMemoryUsed: () => '' }
  }
];

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** The charts that the series of a job's instances make; none of what was not measured. */
export function systemCharts(
  hosts: readonly IHostMetrics[],
  trans: TranslationBundle
): ISystemChart[] {
  const start = Math.min(
    ...hosts.flatMap(host =>
      host.Series.flatMap(series => series.Times.slice(0, 1))
    )
  );
  return KINDS.flatMap(kind => {
    const found = hosts.flatMap(host =>
      host.Series.filter(
        series => series.Name in kind.series && series.Times.length > 0
      ).map(series => ({ host: host.HostName, series }))
    );
    if (found.length === 0) {
      return [];
    }
    const { unit, factor } = scale(found.map(({ series }) => series));
    const curves = found.map(({ host, series }) => ({
      name: [host, kind.series[series.Name]?.(trans)].filter(Boolean).join(' '),
      seconds: series.Times.map(time => time - start),
      values: series.Values.map(value => value / factor)
    }));
    return [{ id: kind.id, title: kind.title(trans), unit, curves }];
  });
}

/** The unit in which the largest value is readable. */
function scale(series: readonly ISystemSeries[]): {
  unit: string;
  factor: number;
} {
  const unit = series[0]?.Unit ?? 'Percent';
  if (unit === 'Percent') {
    return { unit: '%', factor: 1 };
  }
  const largest = series.reduce(
    (most, { Values: values }) =>
      values.reduce((high, value) => Math.max(high, value), most),
    0
  );
  const power = Math.min(
    UNITS.length - 1,
    Math.max(0, Math.floor(Math.log10(Math.max(1, largest)) / 3))
  );
  const suffix = unit === 'BytesPerSecond' ? '/s' : '';
  return { unit: `${UNITS[power] ?? 'B'}${suffix}`, factor: 1000 ** power };
}
