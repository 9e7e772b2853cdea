import type { TranslationBundle } from '@jupyterlab/translation';

import { MOST_CHOSEN } from './model/runs';

/** How many runs are chosen, and that no more can be. */
export function Chosen(props: {
  count: number;
  onClear: () => void;
  trans: TranslationBundle;
}): JSX.Element {
  const { count, trans } = props;
  return (
    <div className="jp-BottegaExperiment-chosen">
      <span role="status" data-chosen={count}>
        {count > 0 && trans._n('%1 run chosen', '%1 runs chosen', count)}
        {count >= MOST_CHOSEN &&
          ` · ${trans.__('more than %1 cannot be compared', MOST_CHOSEN)}`}
      </span>
      {count > 0 && (
        <button
          type="button"
          className="jp-BottegaButton jp-mod-small"
          onClick={props.onClear}
        >
          {trans.__('Choose none')}
        </button>
      )}
    </div>
  );
}
