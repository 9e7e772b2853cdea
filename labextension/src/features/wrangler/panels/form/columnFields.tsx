import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState } from 'react';

import type {
  IFlowColumn,
  IFlowParameter
} from '../../../../api/types/wrangler';
import { Button } from '../../../../shared/components/controls';
import type { IFieldAttributes } from './field';
import { textsOf, unfitReason } from './values';

/** More columns than these are found by typing. */
const SHOWN = 200;

interface IColumnFieldProps {
  parameter: IFlowParameter;
  columns: readonly IFlowColumn[];
  value: unknown;
  trans: TranslationBundle;
  onChange: (value: unknown) => void;
}

/** One column of the table; those of a type that does not fit are shown with the reason. */
export function ColumnField(
  props: IColumnFieldProps & { attributes: IFieldAttributes }
): JSX.Element {
  const { parameter, columns, trans } = props;
  const [chosen = ''] = textsOf(props.value);
  const isKnown = columns.some(column => column.Name === chosen);
  return (
    <select
      {...props.attributes}
      className="jp-BottegaInput"
      value={chosen}
      onChange={event => props.onChange(event.target.value || undefined)}
    >
      <option value="">
        {parameter.Required ? trans.__('Choose a column') : trans.__('None')}
      </option>
      {chosen && !isKnown && (
        <option value={chosen}>
          {trans.__('%1 (not in the table)', chosen)}
        </option>
      )}
      {columns.map(column => {
        const reason = unfitReason(parameter, column, trans);
        return (
          <option
            key={column.Name}
            value={column.Name}
            disabled={reason !== null}
          >
            {column.Name} · {column.Type}
            {reason && ` (${reason})`}
          </option>
        );
      })}
    </select>
  );
}

/** Several columns of the table, in the order in which they are chosen. */
export function ColumnsField(
  props: IColumnFieldProps & { problem: boolean }
): JSX.Element {
  const { parameter, columns, trans, onChange } = props;
  const [filter, setFilter] = useState('');
  const base = useId();
  const chosen = textsOf(props.value);
  const wanted = filter.trim().toLowerCase();
  const found = columns.filter(column =>
    column.Name.toLowerCase().includes(wanted)
  );
  const fitting = found.filter(
    column => unfitReason(parameter, column, trans) === null
  );
  const lost = chosen.filter(
    name => !columns.some(column => column.Name === name)
  );
  const choose = (names: readonly string[]): void =>
    onChange(names.length > 0 ? names : undefined);
  const toggle = (name: string): void =>
    choose(
      chosen.includes(name)
        ? chosen.filter(item => item !== name)
        : [...chosen, name]
    );
  return (
    <div className="jp-BottegaColumns" aria-invalid={props.problem}>
      <div className="jp-BottegaColumns-bar">
        <input
          type="search"
          className="jp-BottegaInput"
          value={filter}
          placeholder={trans.__('Find a column')}
          aria-label={trans.__('%1: find a column', parameter.Label)}
          onChange={event => setFilter(event.target.value)}
        />
        <Button
          disabled={fitting.every(column => chosen.includes(column.Name))}
          onClick={() =>
            choose([
              ...chosen,
              ...fitting
                .map(column => column.Name)
                .filter(name => !chosen.includes(name))
            ])
          }
          label={trans.__('%1: choose all', parameter.Label)}
        >
          {trans.__('All')}
        </Button>
        <Button
          disabled={chosen.length === 0}
          onClick={() => choose([])}
          label={trans.__('%1: choose none', parameter.Label)}
        >
          {trans.__('None')}
        </Button>
      </div>
      <div className="jp-BottegaColumns-list">
        {lost.map(name => (
          <label key={name} className="jp-BottegaColumns-item">
            <input type="checkbox" checked onChange={() => toggle(name)} />
            <span>{name}</span>
            <span className="jp-BottegaColumns-note">
              {trans.__('not in the table')}
            </span>
          </label>
        ))}
        {found.slice(0, SHOWN).map((column, index) => {
          const reason = unfitReason(parameter, column, trans);
          const isChosen = chosen.includes(column.Name);
          return (
            <label
              key={column.Name}
              className={`jp-BottegaColumns-item${reason ? ' jp-mod-unfit' : ''}`}
            >
              <input
                type="checkbox"
                checked={isChosen}
                disabled={reason !== null && !isChosen}
                aria-describedby={`${base}-${index}`}
                onChange={() => toggle(column.Name)}
              />
              <span>{column.Name}</span>
              <span id={`${base}-${index}`} className="jp-BottegaColumns-note">
                {column.Type}
                {reason && ` · ${reason}`}
              </span>
            </label>
          );
        })}
        {found.length === 0 && (
          <p className="jp-BottegaPanel-hint">
            {trans.__('No column has this in its name.')}
          </p>
        )}
      </div>
      <p className="jp-BottegaPanel-hint" role="status">
        {found.length > SHOWN
          ? trans.__(
              '%1 chosen · the first %2 of %3 columns; type to find others',
              chosen.length,
              SHOWN,
              found.length
            )
          : trans.__('%1 of %2 chosen', chosen.length, columns.length)}
      </p>
    </div>
  );
}
