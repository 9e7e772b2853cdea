import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useRef, useState } from 'react';

import { Button } from '../../shared/components/controls';

type Row = readonly [name: string, value: string];

/** Names and values that can be added, changed and removed. */
export function NameValues(props: {
  values: Readonly<Record<string, string>>;
  /** What they are, for the button and the screen reader: `Hyperparameter`. */
  noun: string;
  valuePlaceholder?: string;
  trans: TranslationBundle;
  onChange: (values: Record<string, string>) => void;
}): JSX.Element {
  const { values, noun, trans } = props;
  const [rows, setRows] = useState<readonly Row[]>(Object.entries(values));
  const mine = useRef(values);
  useEffect(() => {
    // Values that come from elsewhere replace the rows; our own may hold one without a name yet.
    if (JSON.stringify(values) !== JSON.stringify(mine.current)) {
      mine.current = values;
      setRows(Object.entries(values));
    }
  }, [values]);
  const put = (next: readonly Row[]): void => {
    const named = Object.fromEntries(next.filter(([name]) => name !== ''));
    mine.current = named;
    setRows(next);
    props.onChange(named);
  };
  const change = (index: number, row: Row): void =>
    put(rows.map((other, at) => (at === index ? row : other)));
  return (
    <div className="jp-BottegaTraining-pairs">
      {rows.map(([name, value], index) => (
        <div key={index} className="jp-BottegaTraining-pair">
          <input
            className="jp-BottegaInput"
            value={name}
            placeholder={trans.__('name')}
            aria-label={trans.__('%1 %2: name', noun, index + 1)}
            spellCheck={false}
            onChange={event => change(index, [event.target.value, value])}
          />
          <input
            className="jp-BottegaInput"
            value={value}
            placeholder={props.valuePlaceholder ?? trans.__('value')}
            aria-label={trans.__('%1 %2: value', noun, name || index + 1)}
            spellCheck={false}
            onChange={event => change(index, [name, event.target.value])}
          />
          <Button
            label={trans.__('Remove %1 %2', noun, name || index + 1)}
            onClick={() => put(rows.filter((_, at) => at !== index))}
          >
            ✕
          </Button>
        </div>
      ))}
      <Button onClick={() => put([...rows, ['', '']])}>
        {trans.__('Add %1', noun)}
      </Button>
    </div>
  );
}
