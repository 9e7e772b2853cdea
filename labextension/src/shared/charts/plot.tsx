import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef, useState } from 'react';

import type * as Plotly from 'plotly.js-gl2d-dist-min';

import { Skeleton } from '../components/states';
import { useChartTheme } from './theme';

/** The traces that only Plotly's other bundle has; neither has all. */
const CARTESIAN: readonly unknown[] = [
  'bar',
  'box',
  'contour',
  'heatmap',
  'histogram',
  'histogram2d',
  'histogram2dcontour',
  'image',
  'pie',
  'violin'
];

type Bundle = 'gl2d' | 'cartesian';

const bundles = new Map<Bundle, Promise<typeof Plotly>>();

/** Plotly, fetched when the first chart is shown: it is larger than all else together. */
function loadPlotly(data: readonly object[]): Promise<typeof Plotly> {
  const bundle: Bundle = data.some(
    trace => 'type' in trace && CARTESIAN.includes(trace.type)
  )
    ? 'cartesian'
    : 'gl2d';
  const present = bundles.get(bundle);
  if (present) {
    return present;
  }
  const fetched = (
    bundle === 'cartesian'
      ? import('plotly.js-cartesian-dist-min')
      : import('plotly.js-gl2d-dist-min')
  ).then(
    module =>
      // A bundler gives a CommonJS module as its default.
      'default' in module
        ? (module as unknown as { default: typeof Plotly }).default
        : module,
    (error: unknown) => {
      bundles.delete(bundle); // the next drawing tries again
      throw error;
    }
  );
  bundles.set(bundle, fetched);
  return fetched;
}

/** A range of the horizontal axis that charts share; null shows everything. */
export type SharedRange = [number | string, number | string] | null;

interface IPlotProps {
  /** Plotly's traces. Give the same array again when nothing changed. */
  data: readonly object[];
  /** Plotly's layout over the one that follows JupyterLab's theme. */
  layout?: object;
  /** In pixels. */
  height: number;
  /** What the chart shows, in a sentence, for those who cannot see it. */
  label: string;
  trans: TranslationBundle;
  range?: SharedRange;
  onRange?: (range: SharedRange) => void;
  onClick?: (points: unknown) => void;
}

/** A chart in JupyterLab's colours. */
export function Plot(props: IPlotProps): JSX.Element {
  const node = useRef<HTMLDivElement>(null);
  const [ready, setReady] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const theme = useChartTheme();
  const listening = useRef(false);
  /** The bundle that has drawn. */
  const drawer = useRef<typeof Plotly | null>(null);
  const listeners = useRef(props);
  listeners.current = props;
  const { data, layout, height, range } = props;

  useEffect(() => {
    let ended = false;
    const draw = async (): Promise<void> => {
      const library = await loadPlotly(data);
      const element = node.current;
      if (ended || !element) {
        return;
      }
      if (drawer.current && drawer.current !== library) {
        drawer.current.purge(element);
        listening.current = false;
      }
      drawer.current = library;
      const drawn = await library.react(
        element,
        data,
        mergedLayout(theme, layout, height, range),
        { displaylogo: false, responsive: false, displayModeBar: false }
      );
      // Also where the data has changed meanwhile: it is the same node that is drawn into.
      if (!listening.current) {
        listening.current = true;
        drawn.on?.('plotly_relayout', change => {
          const found = changedRange(change);
          if (found !== undefined) {
            listeners.current.onRange?.(found);
          }
        });
        drawn.on?.('plotly_click', event => listeners.current.onClick?.(event));
      }
      if (!ended) {
        setReady(true);
        setProblem(null);
      }
    };
    draw().catch((error: unknown) => {
      if (!ended) {
        setProblem(error instanceof Error ? error.message : String(error));
      }
    });
    return () => {
      ended = true;
    };
  }, [data, layout, height, range, theme]);

  useEffect(() => {
    const element = node.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() => {
      if (element.hasChildNodes() && element.offsetWidth > 0) {
        drawer.current?.Plots.resize(element);
      }
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      drawer.current?.purge(element);
    };
  }, []);

  return (
    <div className="jp-BottegaPlot" data-ready={ready}>
      {problem && (
        <p role="alert">
          {props.trans.__('The chart cannot be drawn: %1', problem)}
        </p>
      )}
      {!ready && !problem && <Skeleton trans={props.trans} rows={3} />}
      <div
        ref={node}
        role="img"
        aria-label={props.label}
        style={{ height: `${height}px` }}
      />
    </div>
  );
}

function mergedLayout(
  theme: ReturnType<typeof useChartTheme>,
  layout: object | undefined,
  height: number,
  range: SharedRange | undefined
): object {
  const axis = {
    gridcolor: theme.grid,
    linecolor: theme.grid,
    zeroline: false,
    automargin: true
  };
  const given = (layout ?? {}) as { xaxis?: object; yaxis?: object };
  return {
    autosize: true,
    height,
    margin: { l: 48, r: 12, t: 8, b: 32 },
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: theme.text, family: theme.family, size: 11 },
    colorway: theme.colours,
    hovermode: 'x unified',
    hoverlabel: {
      bgcolor: theme.background,
      bordercolor: theme.grid,
      font: { color: theme.text }
    },
    showlegend: false,
    ...given,
    xaxis: {
      ...axis,
      ...given.xaxis,
      ...(range ? { range, autorange: false } : { autorange: true })
    },
    yaxis: { ...axis, ...given.yaxis }
  };
}

/** The horizontal range a zoom led to; null after a double click, undefined for other changes. */
function changedRange(change: unknown): SharedRange | undefined {
  const fields = change as Record<string, unknown>;
  const from = fields['xaxis.range[0]'];
  const to = fields['xaxis.range[1]'];
  if (isEnd(from) && isEnd(to)) {
    return [from, to];
  }
  return fields['xaxis.autorange'] === true ? null : undefined;
}

function isEnd(value: unknown): value is number | string {
  return typeof value === 'number' || typeof value === 'string';
}
