import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, PointerEvent, ReactNode } from 'react';
import { useRef, useState } from 'react';

const KEY_STEP = 16;

/** The side columns: their least, first and greatest widths in pixels. */
const LEFT = { least: 120, first: 224, most: 480 };
const RIGHT = { least: 220, first: 320, most: 640 };

/** Widths that were chosen, for as long as the page lives: the next flow has them, too. */
const chosen = { left: LEFT.first, right: RIGHT.first };

/** Three columns; the outer ones are dragged to their widths, or moved by the arrows. */
export function ColumnsLayout(props: {
  /** Null leaves the room to the others. */
  left: ReactNode | null;
  centre: ReactNode;
  right: ReactNode;
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  const [left, setLeft] = useState(chosen.left);
  const [right, setRight] = useState(chosen.right);
  return (
    <div className="jp-BottegaWrangler-columns">
      {props.left !== null && (
        <>
          <div
            className="jp-BottegaWrangler-side"
            style={{ flexBasis: `${left}px` }}
          >
            {props.left}
          </div>
          <Border
            label={trans.__('Width of the graph')}
            width={left}
            limits={LEFT}
            direction={1}
            onWidth={width => {
              chosen.left = width;
              setLeft(width);
            }}
          />
        </>
      )}
      <div className="jp-BottegaWrangler-centre">{props.centre}</div>
      <Border
        label={trans.__('Width of the steps')}
        width={right}
        limits={RIGHT}
        direction={-1}
        onWidth={width => {
          chosen.right = width;
          setRight(width);
        }}
      />
      <div
        className="jp-BottegaWrangler-side"
        style={{ flexBasis: `${right}px` }}
      >
        {props.right}
      </div>
    </div>
  );
}

function Border(props: {
  label: string;
  width: number;
  limits: { least: number; most: number };
  /** 1 where the column is before the border, -1 where it is behind. */
  direction: 1 | -1;
  onWidth: (width: number) => void;
}): JSX.Element {
  const { width, limits, direction } = props;
  const dragged = useRef<{ x: number; width: number } | null>(null);
  const set = (wanted: number): void =>
    props.onWidth(Math.max(limits.least, Math.min(limits.most, wanted)));
  const onMove = (event: PointerEvent): void => {
    const { current } = dragged;
    if (current) {
      set(current.width + (event.clientX - current.x) * direction);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -KEY_STEP, ArrowRight: KEY_STEP }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      set(width + step * direction);
    }
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      className="jp-BottegaWrangler-border"
      aria-label={props.label}
      aria-orientation="vertical"
      aria-valuenow={Math.round(width)}
      aria-valuemin={limits.least}
      aria-valuemax={limits.most}
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        dragged.current = { x: event.clientX, width };
      }}
      onPointerMove={onMove}
      onPointerUp={() => (dragged.current = null)}
      onPointerCancel={() => (dragged.current = null)}
      onKeyDown={onKeyDown}
    />
  );
}
