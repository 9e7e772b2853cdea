import type { KeyboardEvent, PointerEvent } from 'react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { IGetTrainingJobTimelineResponse } from '../../../api/types/debugger';
import type { SharedRange } from '../../../shared/charts/plot';
import { Plot } from '../../../shared/charts/plot';
import { useChartTheme } from '../../../shared/charts/theme';
import { Button } from '../../../shared/components/controls';
import { span as lengthOf } from '../../../shared/format';
import type { IJobViewProps } from '../jobView';
import { figureOf, MARGIN, rowsOf } from './figure';
import { Lanes } from './lanes';
import { MomentFacts } from './momentFacts';
import type { ISight, Span } from './view';
import { afterKey, inside, panned, zoomed } from './view';

const WHEEL_ZOOM = 0.002;
/** From this part on, everything is looked at, and what is new comes into sight. */
const EVERYTHING = 0.999;

interface ITimelineChartProps extends IJobViewProps {
  timeline: IGetTrainingJobTimelineResponse;
  /** What is looked at; null for everything. */
  span: Span | null;
  onSpan: (span: Span | null) => void;
}

/** The timeline, which is zoomed and moved, and what was at the moment that is pointed at. */
export function TimelineChart(props: ITimelineChartProps): JSX.Element {
  const { onSpan, span, timeline, trans } = props;
  const theme = useChartTheme();
  const [withCores, setWithCores] = useState(false);
  const begin = timeline.Begin ?? timeline.From;
  const end = Math.max(timeline.End ?? timeline.To, begin + 1e-3);
  const whole = useMemo<Span>(() => [begin, end], [begin, end]);
  const shown = span ?? whole;
  const [moment, setMoment] = useState<number | null>(null);
  const rows = useMemo(
    () => rowsOf(timeline, withCores, trans),
    [timeline, withCores, trans]
  );
  const figure = useMemo(
    () => figureOf(timeline, rows, begin, theme),
    [timeline, rows, begin, theme]
  );
  const hasCores = timeline.Hosts.some(host =>
    host.Series.some(series => series.Name.startsWith('CPUUtilization '))
  );
  const range = useMemo<SharedRange>(
    () => [shown[0] - begin, shown[1] - begin],
    [shown, begin]
  );
  const area = useRef<HTMLDivElement>(null);
  /** What shall be looked at with the next frame; drawing each step of a wheel would fall behind. */
  const wanted = useRef<Span | null>(null);
  const sight = useRef<ISight & { whole: Span }>(null as never);
  sight.current = {
    span: wanted.current ?? shown,
    moment: moment ?? shown[0],
    whole
  };

  const look = useCallback(
    (next: Span): void => {
      const { whole: all } = sight.current;
      if (wanted.current === null) {
        requestAnimationFrame(() => {
          const found = wanted.current;
          wanted.current = null;
          if (found) {
            const share = (found[1] - found[0]) / (all[1] - all[0]);
            onSpan(share >= EVERYTHING ? null : found);
          }
        });
      }
      wanted.current = next;
      sight.current.span = next;
    },
    [onSpan]
  );
  /** The moment under a place on the screen. */
  const momentAt = useCallback((clientX: number): number => {
    const box = area.current?.getBoundingClientRect();
    const width = Math.max(1, (box?.width ?? 1) - MARGIN.l - MARGIN.r);
    const share = (clientX - (box?.left ?? 0) - MARGIN.l) / width;
    const [from, to] = sight.current.span;
    return from + Math.min(1, Math.max(0, share)) * (to - from);
  }, []);

  useEffect(() => {
    const element = area.current;
    // React's own listeners cannot keep the page from scrolling.
    const onWheel = (event: WheelEvent): void => {
      const { span: seen, whole: all } = sight.current;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const factor = Math.exp(event.deltaY * WHEEL_ZOOM);
        look(zoomed(seen, momentAt(event.clientX), factor, all));
      } else if (event.shiftKey || event.deltaX !== 0) {
        event.preventDefault();
        const by = event.deltaX !== 0 ? event.deltaX : event.deltaY;
        look(panned(seen, by / Math.max(1, element?.clientWidth ?? 1), all));
      }
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [look, momentAt]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const next = afterKey(event.key, event.shiftKey, sight.current, whole);
    if (next) {
      event.preventDefault();
      event.stopPropagation();
      setMoment(next.moment);
      look(next.span);
    }
  };
  const onPointerMove = (event: PointerEvent): void =>
    setMoment(momentAt(event.clientX));
  const key =
    (name: string, isShifted = false) =>
    () => {
      const middle = (shown[0] + shown[1]) / 2;
      const next = afterKey(
        name,
        isShifted,
        { span: sight.current.span, moment: moment ?? middle },
        whole
      );
      if (next) {
        look(next.span);
      }
    };
  const onRange = useCallback(
    (found: SharedRange): void => {
      const [from, to] = (found ?? [NaN, NaN]).map(Number) as [number, number];
      const { whole: all } = sight.current;
      if (found === null) {
        onSpan(null);
      } else if (to > from) {
        look(inside([from + all[0], to + all[0]], all));
      }
    },
    [look, onSpan]
  );
  const at = moment !== null && moment >= shown[0] && moment <= shown[1];
  const share = at ? (moment - shown[0]) / (shown[1] - shown[0]) : 0;
  return (
    <section className="jp-BottegaCard" aria-label={trans.__('Timeline')}>
      <div className="jp-BottegaTimelineChart-head">
        <h2>{trans.__('Timeline')}</h2>
        <span className="jp-BottegaHeader-facts">
          {trans.__(
            '%1 of %2',
            lengthOf(shown[1] - shown[0]),
            lengthOf(whole[1] - whole[0])
          )}
          {' · '}
          {trans._n(
            '%2 phase',
            '%2 phases',
            timeline.EventCount,
            timeline.EventCount.toLocaleString()
          )}
        </span>
        {hasCores && (
          <label>
            <input
              type="checkbox"
              checked={withCores}
              onChange={event => setWithCores(event.target.checked)}
            />{' '}
            {trans.__('Each core')}
          </label>
        )}
        <div className="jp-BottegaTimelineChart-buttons">
          <Button label={trans.__('Earlier')} onClick={key('ArrowLeft', true)}>
            ←
          </Button>
          <Button label={trans.__('Later')} onClick={key('ArrowRight', true)}>
            →
          </Button>
          <Button label={trans.__('Zoom out')} onClick={key('-')}>
            −
          </Button>
          <Button label={trans.__('Zoom in')} onClick={key('+')}>
            +
          </Button>
          <Button disabled={span === null} onClick={() => onSpan(null)}>
            {trans.__('Show all')}
          </Button>
        </div>
      </div>
      <div
        ref={area}
        className="jp-BottegaTimelineChart-area"
        role="slider"
        tabIndex={0}
        aria-label={trans.__('Moment in the timeline')}
        aria-valuemin={0}
        aria-valuemax={whole[1] - begin}
        aria-valuenow={(moment ?? shown[0]) - begin}
        aria-valuetext={trans.__(
          '%1 after the beginning',
          lengthOf((moment ?? shown[0]) - begin)
        )}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
      >
        <Plot
          data={figure.data}
          layout={figure.layout}
          height={figure.height}
          label={trans.__(
            'What the job used of its machines over time: %1',
            rows.map(row => row.title).join(', ')
          )}
          trans={trans}
          range={range}
          onRange={onRange}
        />
        <Lanes
          lanes={timeline.Lanes}
          findings={timeline.Findings}
          span={shown}
          theme={theme}
          trans={trans}
        />
        {at && (
          <div
            className="jp-BottegaTimelineChart-cursor"
            style={{
              left: `calc(${MARGIN.l}px + (100% - ${MARGIN.l + MARGIN.r}px) * ${share})`
            }}
          />
        )}
      </div>
      <p className="jp-BottegaHeader-facts">
        {trans.__(
          'Drag to look closer, with Shift to move; Ctrl and the wheel zoom. Keys: arrows move the moment, with Shift what is seen; + and − zoom, 0 shows all.'
        )}
      </p>
      <MomentFacts
        {...props}
        moment={moment}
        begin={begin}
        rows={rows}
        theme={theme}
      />
    </section>
  );
}
