import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { clock } from '../format';
import { logLevel } from './levels';
import type { ILogExtent } from './logGeometry';
import {
  anchorAt,
  contentHeight,
  isAtEnd,
  keptScrollTop,
  LINE_HEIGHT,
  scrollRoom,
  scrollTopFor
} from './logGeometry';
import type { ILogLine, LogWindow } from './logWindow';

/** Lines drawn beyond each edge of the view. */
const BEYOND = 6;

/** The average height of a line counts anew when it differs by more than this part. */
const TOLERANCE = 0.15;

/** A line to be brought into sight; a new object brings it again. */
export interface ILogTarget {
  line: number;
}

interface ILogViewProps {
  log: LogWindow;
  label: string;
  trans: TranslationBundle;
  wrap: boolean;
  times: boolean;
  /** Whether the end stays in sight. */
  follow: boolean;
  onFollow: (follow: boolean) => void;
  /** What is looked for, marked where it is. */
  needle: string;
  target: ILogTarget | null;
}

/**
 * The lines of a log of any length: only those in sight exist, and the scroll bar is true to the
 * whole.
 */
export function LogView(props: ILogViewProps): JSX.Element {
  const { log, wrap, follow, onFollow, target } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const above = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [viewHeight, setViewHeight] = useState(0);
  const [lineHeight, setLineHeight] = useState(LINE_HEIGHT);
  const [width, setWidth] = useState(0);
  const total = log.total ?? 0;
  const extent: ILogExtent = { total, lineHeight, viewHeight };
  const former = useRef(extent);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) {
      return;
    }
    const measure = (): void => setViewHeight(element.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    setWidth(0);
    setLineHeight(LINE_HEIGHT);
  }, [wrap, log]);

  const scrollTo = (top: number): void => {
    if (scroller.current) {
      scroller.current.scrollTop = top;
      setScrollTop(top);
    }
  };
  useLayoutEffect(() => {
    const before = former.current;
    former.current = extent;
    if (follow) {
      scrollTo(scrollRoom(extent));
    } else if (before.viewHeight > 0 && !sameExtent(before, extent)) {
      scrollTo(keptScrollTop(scrollTop, before, extent));
    }
    // The present position is only what is kept.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [total, lineHeight, viewHeight, follow]);
  useLayoutEffect(() => {
    if (target) {
      scrollTo(scrollTopFor(target.line, extent));
    }
    // Only a new target moves the view.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [target]);

  const anchor = anchorAt(scrollTop, extent);
  const first = Math.max(
    0,
    anchor.line - Math.ceil(anchor.y / LINE_HEIGHT) - BEYOND
  );
  const last = Math.min(
    total - 1,
    anchor.line + Math.ceil((viewHeight - anchor.y) / LINE_HEIGHT) + 1 + BEYOND
  );
  useEffect(() => log.want(first, Math.max(first, last)), [log, first, last]);

  // How high and wide lines are is known once they are drawn: after every rendering.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  useLayoutEffect(() => {
    const lower = below.current;
    const upper = above.current;
    if (!lower || !upper || total === 0) {
      return;
    }
    const edge = lower.firstElementChild?.getBoundingClientRect().height ?? 0;
    lower.parentElement?.style.setProperty(
      'transform',
      `translateY(${-anchor.share * edge}px)`
    );
    if (wrap) {
      const drawn = last - first + 1;
      const average = (upper.offsetHeight + lower.offsetHeight) / drawn;
      if (Math.abs(average / lineHeight - 1) > TOLERANCE && average > 0) {
        setLineHeight(average);
      }
    } else {
      setWidth(Math.max(width, upper.offsetWidth, lower.offsetWidth));
    }
  });

  const rows = (from: number, to: number): ReactNode[] => {
    const found: ReactNode[] = [];
    for (let number = from; number <= to; number += 1) {
      found.push(
        <Line
          key={number}
          number={number}
          line={log.line(number)}
          times={props.times}
          needle={props.needle}
          marked={number === target?.line}
          trans={props.trans}
        />
      );
    }
    return found;
  };
  return (
    <div
      className={`jp-BottegaLog${wrap ? ' jp-mod-wrap' : ''}`}
      ref={scroller}
      tabIndex={0}
      role="group"
      aria-label={props.label}
      data-total={total}
      data-follow={follow}
      onScroll={event => {
        const { scrollTop: top, clientHeight } = event.currentTarget;
        setScrollTop(top);
        onFollow(isAtEnd(top, { ...extent, viewHeight: clientHeight }));
      }}
    >
      <div
        className="jp-BottegaLog-space"
        style={{
          height: `${contentHeight(extent)}px`,
          ...(wrap ? {} : { minWidth: `${width}px` })
        }}
      >
        <div
          className="jp-BottegaLog-sheet"
          style={{ height: `${viewHeight}px` }}
        >
          <div
            className="jp-BottegaLog-anchor"
            style={{ top: `${anchor.y}px` }}
          >
            <div className="jp-BottegaLog-above" ref={above}>
              {rows(first, anchor.line - 1)}
            </div>
            <div className="jp-BottegaLog-below" ref={below}>
              {rows(anchor.line, last)}
            </div>
          </div>
        </div>
      </div>
    </div>
  );
}

function sameExtent(one: ILogExtent, other: ILogExtent): boolean {
  return (
    one.total === other.total &&
    one.lineHeight === other.lineHeight &&
    one.viewHeight === other.viewHeight
  );
}

const SIGNS = { error: '✕', warning: '▲', plain: '' };

function Line(props: {
  number: number;
  line: ILogLine | undefined;
  times: boolean;
  needle: string;
  marked: boolean;
  trans: TranslationBundle;
}): JSX.Element {
  const { line, trans } = props;
  const level = line ? logLevel(line.message) : 'plain';
  const words = {
    error: trans.__('Error'),
    warning: trans.__('Warning'),
    plain: ''
  };
  return (
    <div
      className={`jp-BottegaLog-line jp-mod-${level}`}
      data-line={props.number}
      aria-busy={!line}
      aria-current={props.marked ? 'true' : undefined}
    >
      <span className="jp-BottegaLog-sign">
        {level !== 'plain' && (
          <span role="img" aria-label={words[level]}>
            {SIGNS[level]}
          </span>
        )}
      </span>
      {props.times && (
        <span className="jp-BottegaLog-time">
          {line ? lineTime(line.time) : ''}
        </span>
      )}
      <span className="jp-BottegaLog-message">
        {line ? marked(line.message, props.needle) : '…'}
      </span>
    </div>
  );
}

/** A moment of the day with its milliseconds: `12:04:41.207`. */
export function lineTime(time: number): string {
  const milliseconds = new Date(time * 1000).getMilliseconds();
  return `${clock(time)}.${String(milliseconds).padStart(3, '0')}`;
}

/** The message with what is looked for marked in it. */
function marked(message: string, needle: string): ReactNode {
  if (!needle) {
    return message || '\u00a0';
  }
  const parts: ReactNode[] = [];
  const lower = message.toLowerCase();
  const wanted = needle.toLowerCase();
  let done = 0;
  for (
    let at = lower.indexOf(wanted);
    at >= 0;
    at = lower.indexOf(wanted, done)
  ) {
    parts.push(message.slice(done, at));
    parts.push(<mark key={at}>{message.slice(at, at + wanted.length)}</mark>);
    done = at + wanted.length;
  }
  return parts.length > 0 ? [...parts, message.slice(done)] : message;
}
