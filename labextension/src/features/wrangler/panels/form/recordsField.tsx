import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';
import { useRef } from 'react';

import type { IFlowParameter } from '../../../../api/types/wrangler';
import { Button } from '../../../../shared/components/controls';
import type { Values } from '../json';
import { recordsOf } from './values';

/** Entries, each with the same few fields: splits with their shares, pairs of keys. */
export function RecordsField(props: {
  parameter: IFlowParameter;
  value: unknown;
  trans: TranslationBundle;
  onChange: (value: unknown) => void;
  /** Renders the fields of one entry. */
  fields: (record: Values, onChange: (record: Values) => void) => ReactNode;
}): JSX.Element {
  const { parameter, trans, onChange } = props;
  const list = useRef<HTMLOListElement>(null);
  const records = recordsOf(props.value);
  const add = (): void => {
    onChange([...records, {}]);
    // The new entry is there after the next drawing.
    requestAnimationFrame(() =>
      list.current
        ?.querySelector<HTMLElement>(
          'li:last-child input, li:last-child select'
        )
        ?.focus()
    );
  };
  return (
    <div className="jp-BottegaRecords">
      <ol ref={list}>
        {records.map((record, index) => (
          <li
            key={index}
            aria-label={trans.__('%1, entry %2', parameter.Label, index + 1)}
          >
            {props.fields(record, next =>
              onChange(records.map((item, at) => (at === index ? next : item)))
            )}
            <Button
              label={trans.__(
                'Remove entry %1 of %2',
                index + 1,
                parameter.Label
              )}
              onClick={() => onChange(records.filter((_, at) => at !== index))}
            >
              {trans.__('Remove')}
            </Button>
          </li>
        ))}
      </ol>
      <Button
        label={trans.__('Add an entry to %1', parameter.Label)}
        onClick={add}
      >
        {trans.__('Add')}
      </Button>
    </div>
  );
}
