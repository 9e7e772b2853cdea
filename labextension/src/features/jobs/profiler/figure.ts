import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  IGetTrainingJobTimelineResponse,
  ITimelineSeries,
  TimelineUnit
} from '../../../api/types/debugger';
import type { IChartTheme } from '../../../shared/charts/theme';
import { seriesColour } from '../../../shared/charts/theme';

/** Pixels around the drawing; fixed, so that a place on the screen is a moment. */
export const MARGIN = { l: 168, r: 16, t: 8, b: 34 };

const ROW_PIXELS = 84;
const GAP_PIXELS = 14;
/** How much of what is behind the mark of a finding it covers. */
export const FINDING_OPACITY = 0.18;
/** So many findings are marked; more would be a wall. */
const MOST_MARKS = 200;

/** So many curves of a row are named beside it, each with so many letters: they fit there. */
const MOST_NAMES = 4;
const MOST_LETTERS = 18;

/** One curve of a row. */
export interface IRowCurve {
  name: string;
  host: string;
  series: ITimelineSeries;
}

/** Series of one kind and one unit, drawn over each other. */
export interface IRow {
  id: string;
  title: string;
  unit: TimelineUnit;
  curves: IRowCurve[];
}

interface IKind {
  id: string;
  title: (trans: TranslationBundle) => string;
  /** The series in it, by the first word of their names. */
  series: readonly string[];
}

const KINDS: readonly IKind[] = [
  {
    id: 'cpu',
    title: trans => trans.__('CPU'),
    series: ['CPUUtilization', 'I/OWaitPercentage']
  },
  {
    id: 'memory',
    title: trans => trans.__('Memory'),
    series: ['MemoryUsedPercent', 'MemoryUsed']
  },
  {
    id: 'gpu',
    title: trans => trans.__('GPU'),
    series: ['GPUUtilization']
  },
  {
    id: 'gpu-memory',
    title: trans => trans.__('GPU memory'),
    series: ['GPUMemoryUtilization', 'GPUMemoryUsed']
  },
  {
    id: 'disk',
    title: trans => trans.__('Disk'),
    series: [
      'ReadThroughputInBytesPerSecond',
      'WriteThroughputInBytesPerSecond',
      'DiskRead',
      'DiskWritten'
    ]
  },
  {
    id: 'network',
    title: trans => trans.__('Network'),
    series: [
      'ReceiveBytesPerSecond',
      'TransmitBytesPerSecond',
      'NetworkReceived',
      'NetworkSent'
    ]
  }
];

const NAMES: Readonly<Record<string, (trans: TranslationBundle) => string>> = {
  'I/OWaitPercentage': trans => trans.__('waiting for disks'),
  ReadThroughputInBytesPerSecond: trans => trans.__('read'),
  WriteThroughputInBytesPerSecond: trans => trans.__('written'),
  DiskRead: trans => trans.__('read'),
  DiskWritten: trans => trans.__('written'),
  ReceiveBytesPerSecond: trans => trans.__('received'),
  TransmitBytesPerSecond: trans => trans.__('sent'),
  NetworkReceived: trans => trans.__('received'),
  NetworkSent: trans => trans.__('sent')
};

/**
 * The rows of series that a timeline has.
 *
 * @param withCores whether each core of the CPUs has a curve of its own.
 */
export function rowsOf(
  timeline: IGetTrainingJobTimelineResponse,
  withCores: boolean,
  trans: TranslationBundle
): IRow[] {
  const several = timeline.Hosts.length > 1;
  return KINDS.flatMap(kind => {
    const curves = timeline.Hosts.flatMap(host =>
      host.Series.filter(series => {
        const [first = '', part] = series.Name.split(' ');
        return (
          kind.series.includes(first) &&
          series.Times.length > 0 &&
          (withCores || kind.id !== 'cpu' || part === undefined)
        );
      }).map(series => {
        const [first = '', part = ''] = series.Name.split(' ');
        const words = [
          several ? host.HostName : '',
          NAMES[first]?.(trans) ?? '',
          part
        ];
        return {
          host: host.HostName,
          name: words.filter(Boolean).join(' ') || kind.title(trans),
          series
        };
      })
    );
    const unit = curves[0]?.series.Unit;
    return unit === undefined
      ? []
      : [
          {
            id: kind.id,
            title: kind.title(trans),
            unit,
            // Percent of one core and of the machine are not drawn on one scale.
            curves: curves.filter(curve => curve.series.Unit === unit)
          }
        ];
  });
}

/** Plotly's traces and layout of the series, and how high they are. */
export interface IFigure {
  data: object[];
  layout: object;
  /** In pixels. */
  height: number;
}

/**
 * Draw the series of a timeline: a row for each kind, over one axis of time.
 *
 * @param begin the moment that is 0 on the axis.
 */
export function figureOf(
  timeline: IGetTrainingJobTimelineResponse,
  rows: readonly IRow[],
  begin: number,
  theme: IChartTheme
): IFigure {
  const inner = Math.max(
    1,
    rows.length * (ROW_PIXELS + GAP_PIXELS) - GAP_PIXELS
  );
  const share = (pixels: number): number => 1 - pixels / inner;
  const data: object[] = [];
  const axes: Record<string, object> = {};
  const annotations: object[] = [];
  rows.forEach((row, index) => {
    const top = index * (ROW_PIXELS + GAP_PIXELS);
    const axis = index === 0 ? '' : String(index + 1);
    axes[`yaxis${axis}`] = {
      domain: [share(top + ROW_PIXELS), share(top)],
      rangemode: 'tozero',
      fixedrange: true,
      automargin: false,
      zeroline: false,
      nticks: 4,
      gridcolor: theme.grid,
      linecolor: theme.grid,
      ...suffixOf(row.unit)
    };
    annotations.push(
      title(row.title + legend(row, theme), share(top + ROW_PIXELS / 2))
    );
    row.curves.forEach((curve, place) =>
      data.push({
        type: 'scatter',
        mode: curve.series.Times.length === 1 ? 'markers' : 'lines',
        x: curve.series.Times.map(time => time - begin),
        y: curve.series.Values.map(Number),
        yaxis: `y${axis}`,
        name: curve.name,
        line: { color: seriesColour(theme, place), width: 1.5 }
      })
    );
  });
  const height = Math.round(inner + MARGIN.t + MARGIN.b);
  const layout = {
    margin: MARGIN,
    hovermode: false,
    ...axes,
    xaxis: {
      ticksuffix: ' s',
      automargin: false,
      anchor: 'free',
      position: 0,
      zeroline: false
    },
    annotations,
    shapes: timeline.Findings.slice(-MOST_MARKS).map(finding => ({
      type: 'rect',
      xref: 'x',
      yref: 'paper',
      x0: finding.Begin - begin,
      x1: finding.End - begin,
      y0: 0,
      y1: 1,
      layer: 'below',
      fillcolor: seriesColour(theme, 3),
      opacity: FINDING_OPACITY,
      line: { color: seriesColour(theme, 3), width: 1 }
    }))
  };
  return { data, layout, height };
}

function title(text: string, y: number): object {
  return {
    text,
    x: 0,
    xref: 'paper',
    xanchor: 'left',
    xshift: 12 - MARGIN.l,
    y,
    yref: 'paper',
    yanchor: 'middle',
    align: 'left',
    showarrow: false,
    font: { size: 12 }
  };
}

/** Which colour is what, under the title of a row of several curves, where there is room. */
function legend(row: IRow, theme: IChartTheme): string {
  const { curves } = row;
  const fits = curves.every(curve => curve.name.length <= MOST_LETTERS);
  if (curves.length < 2 || curves.length > MOST_NAMES || !fits) {
    return '';
  }
  return curves
    .map(
      ({ name }, place) =>
        `<br><span style="font-size: 11px"><span style="color: ${seriesColour(theme, place)}">━</span> ${name}</span>`
    )
    .join('');
}

function suffixOf(unit: TimelineUnit): object {
  switch (unit) {
    case 'Percent':
    case 'PercentOfOneCore':
      return { ticksuffix: ' %' };
    case 'Bytes':
      return { tickformat: '.3~s', ticksuffix: 'B' };
    case 'BytesPerSecond':
      return { tickformat: '.3~s', ticksuffix: 'B/s' };
    case 'PerSecond':
      return { ticksuffix: '/s' };
  }
}
