import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef } from 'react';

import type {
  ITimelineFinding,
  ITimelineLane
} from '../../../api/types/debugger';
import type { IChartTheme } from '../../../shared/charts/theme';
import { seriesColour } from '../../../shared/charts/theme';
import { FINDING_OPACITY, MARGIN } from './figure';
import type { Span } from './view';
import { lastAtOrBefore } from './view';

const LANE_PIXELS = 22;
const BOX_PIXELS = 15;
/** What is shorter than this on the screen is drawn as wide. */
const LEAST_PIXELS = 0.75;

interface ILanesProps {
  lanes: readonly ITimelineLane[];
  findings: readonly ITimelineFinding[];
  /** What is looked at. */
  span: Span;
  theme: IChartTheme;
  trans: TranslationBundle;
}

/** The phases, a lane for each kind, under the axis of the series above them. */
export function Lanes(props: ILanesProps): JSX.Element {
  const { findings, lanes, span, theme, trans } = props;
  const node = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props);
  latest.current = props;
  useEffect(
    () => draw(node.current, latest.current),
    [findings, lanes, span, theme]
  );
  useEffect(() => {
    const canvas = node.current;
    const observer = new ResizeObserver(() => draw(canvas, latest.current));
    if (canvas) {
      observer.observe(canvas);
    }
    return () => observer.disconnect();
  }, []);
  return (
    <div
      className="jp-BottegaLanes"
      style={{ height: `${lanes.length * LANE_PIXELS}px` }}
    >
      <ol
        aria-label={trans.__('Lanes of phases')}
        style={{ width: `${MARGIN.l}px` }}
      >
        {lanes.map((lane, index) => (
          <li
            key={index}
            style={{ height: `${LANE_PIXELS}px` }}
            title={laneLabel(lane, lanes)}
          >
            {laneLabel(lane, lanes)}
          </li>
        ))}
      </ol>
      <canvas
        ref={node}
        aria-hidden="true"
        style={{
          left: `${MARGIN.l}px`,
          width: `calc(100% - ${MARGIN.l + MARGIN.r}px)`
        }}
      />
    </div>
  );
}

/** A lane as a person reads it: `Step TRAIN`; with the host and the process where there are several. */
export function laneLabel(
  lane: ITimelineLane,
  lanes: readonly ITimelineLane[]
): string {
  const name = lane.Name.replace(/ModeKeys\./g, '').replace(/:/g, ' ');
  const isTwice = lanes.some(
    other =>
      other !== lane &&
      other.Name === lane.Name &&
      (other.HostName !== lane.HostName || other.ProcessId !== lane.ProcessId)
  );
  return isTwice ? `${name} ${lane.HostName}/${lane.ProcessId}` : name;
}

/**
 * Draw by hand: thousands of boxes must follow the mouse.
 *
 * Bundles are paler, the more so the less of them the phase was going on.
 */
function draw(canvas: HTMLCanvasElement | null, props: ILanesProps): void {
  const { findings, lanes, span, theme } = props;
  const context = canvas?.getContext('2d');
  if (!canvas || !context) {
    return;
  }
  const scale = window.devicePixelRatio || 1;
  const width = canvas.offsetWidth;
  const height = lanes.length * LANE_PIXELS;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const [from, to] = span;
  const place = (time: number): number => ((time - from) / (to - from)) * width;
  lanes.forEach((lane, index) => {
    const top = index * LANE_PIXELS + (LANE_PIXELS - BOX_PIXELS) / 2;
    context.fillStyle = seriesColour(theme, index);
    let at = Math.max(0, lastAtOrBefore(lane.Begins, from));
    for (; at < lane.Begins.length; at += 1) {
      const begin = lane.Begins[at] ?? from;
      const end = lane.Ends[at] ?? begin;
      if (begin > to) {
        break;
      }
      if (end >= from) {
        const isBundle = (lane.Counts[at] ?? 1) > 1;
        context.globalAlpha = isBundle ? 0.2 + 0.6 * (lane.Busy[at] ?? 1) : 1;
        const left = Math.max(0, place(begin));
        const right = Math.min(width, place(end));
        const shown = Math.max(LEAST_PIXELS, right - left);
        context.fillRect(left, top, shown, BOX_PIXELS);
      }
    }
  });
  context.fillStyle = seriesColour(theme, 3);
  context.globalAlpha = FINDING_OPACITY;
  for (const finding of findings) {
    const left = Math.max(0, place(finding.Begin));
    const right = Math.min(width, place(finding.End));
    if (right >= 0 && left <= width) {
      context.fillRect(left, 0, Math.max(1, right - left), height);
    }
  }
  context.globalAlpha = 1;
}
