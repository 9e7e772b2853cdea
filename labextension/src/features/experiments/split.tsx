import type { TranslationBundle } from '@jupyterlab/translation';
import type { PointerEvent, ReactNode } from 'react';
import { useEffect, useRef, useState } from 'react';

/** With less room the second part is below the first instead of beside it. */
const WIDE = 1000;
const LEAST = 20;
const MOST = 80;
const KEY_STEP = 5;

/** Two parts with a border that is dragged, or moved by the arrows. */
export function Split(props: {
  first: ReactNode;
  /** Null leaves all the room to the first. */
  second: ReactNode | null;
  /** How much the first takes, in percent. */
  share: number;
  onShare: (share: number) => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { first, second, share, onShare, trans } = props;
  const node = useRef<HTMLDivElement>(null);
  const [isWide, setWide] = useState(true);
  const [dragged, setDragged] = useState<number | null>(null);
  useEffect(() => {
    const element = node.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() => {
      if (element.offsetWidth > 0) {
        setWide(element.offsetWidth >= WIDE);
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const limited = (wanted: number): number =>
    Math.max(LEAST, Math.min(MOST, wanted));
  const onMove = (event: PointerEvent): void => {
    const box = node.current?.getBoundingClientRect();
    if (dragged === null || !box) {
      return;
    }
    const part = isWide
      ? (event.clientX - box.left) / box.width
      : (event.clientY - box.top) / box.height;
    setDragged(limited(part * 100));
  };
  const present = dragged ?? share;
  return (
    <div
      ref={node}
      className={`jp-BottegaSplit${isWide ? ' jp-mod-wide' : ''}`}
    >
      <div
        className="jp-BottegaSplit-part"
        style={{ flexBasis: second === null ? '100%' : `${present}%` }}
      >
        {first}
      </div>
      {second !== null && (
        <>
          <div
            role="separator"
            tabIndex={0}
            className="jp-BottegaSplit-border"
            aria-label={trans.__('Border between grid and comparison')}
            aria-orientation={isWide ? 'vertical' : 'horizontal'}
            aria-valuenow={Math.round(present)}
            aria-valuemin={LEAST}
            aria-valuemax={MOST}
            onPointerDown={event => {
              event.currentTarget.setPointerCapture(event.pointerId);
              setDragged(share);
            }}
            onPointerMove={onMove}
            onPointerUp={() => {
              if (dragged !== null) {
                onShare(dragged);
              }
              setDragged(null);
            }}
            onPointerCancel={() => setDragged(null)}
            onKeyDown={event => {
              const step = {
                ArrowLeft: -KEY_STEP,
                ArrowUp: -KEY_STEP,
                ArrowRight: KEY_STEP,
                ArrowDown: KEY_STEP
              }[event.key];
              if (step !== undefined) {
                event.preventDefault();
                onShare(limited(share + step));
              }
            }}
          />
          <div
            className="jp-BottegaSplit-part"
            style={{ flexBasis: `${100 - present}%` }}
          >
            {second}
          </div>
        </>
      )}
    </div>
  );
}
