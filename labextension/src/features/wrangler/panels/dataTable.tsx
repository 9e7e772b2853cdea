import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';

import { cellsOf, cellText } from './json';

/** A small table as it is: first rows of a source, a table of an analysis. */
export function DataTable(props: {
  label: string;
  /** What stands at the head of each column. */
  heads: readonly ReactNode[];
  /** Each a list of cells. */
  rows: readonly unknown[];
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  return (
    <div
      className="jp-BottegaDataTable"
      tabIndex={0}
      role="group"
      aria-label={props.label}
    >
      <table>
        <thead>
          <tr>
            {props.heads.map((head, index) => (
              <th key={index} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, index) => (
            <tr key={index}>
              {cellsOf(row).map((cell, at) => (
                <Cell key={at} cell={cell} trans={trans} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell(props: { cell: unknown; trans: TranslationBundle }): JSX.Element {
  const text = cellText(props.cell);
  if (text === null) {
    return <td className="jp-mod-missing">{props.trans.__('missing')}</td>;
  }
  return (
    <td className={isQuantity(props.cell) ? 'jp-mod-number' : undefined}>
      {typeof props.cell === 'number' ? shortNumber(props.cell) : text}
    </td>
  );
}

/** Whether a cell is read from the right: a number, or a share of a hundred. */
function isQuantity(cell: unknown): boolean {
  return (
    typeof cell === 'number' ||
    (typeof cell === 'string' && /^[<>]?-?[\d.]+%$/.test(cell))
  );
}

/** Fractions in six significant digits: the rest is noise to a reader. */
function shortNumber(value: number): string {
  return Number.isInteger(value)
    ? String(value)
    : String(Number(value.toPrecision(6)));
}
