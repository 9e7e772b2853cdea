import { useId, useState } from 'react';

import type { IAlgorithmDescription } from '../../api/types/training';
import { Button } from '../../shared/components/controls';
import { FIELDS } from './findings';
import type { IRange, ISearch, RangeKind } from './search';
import { recommendedRange, SCALINGS, tunable } from './search';
import { rangeField } from './searchFindings';
import type { IStepProps } from './step';
import { problemOf } from './step';

/** What the fields of a search are given. */
export interface ISearchProps extends IStepProps {
  search: ISearch;
  /** The built-in algorithm that is tuned; null for scripts. */
  algorithm: IAlgorithmDescription | null;
  change: (part: Partial<ISearch>) => void;
}

/** Where each hyperparameter is searched. */
export function Ranges(props: ISearchProps): JSX.Element {
  const { search, change, findings, trans } = props;
  const put = (index: number, range: IRange): void =>
    change({
      ranges: search.ranges.map((other, at) => (at === index ? range : other))
    });
  return (
    <div data-field={FIELDS.ranges}>
      {search.ranges.length > 0 && (
        <table className="jp-BottegaTraining-ranges">
          <thead>
            <tr>
              <th scope="col">{trans.__('Hyperparameter')}</th>
              <th scope="col">{trans.__('Lowest')}</th>
              <th scope="col">{trans.__('Highest')}</th>
              <th scope="col">{trans.__('Scaling')}</th>
              <th scope="col">
                <span className="jp-Bottega-hidden">{trans.__('Remove')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {search.ranges.map((range, index) => (
              <RangeRow
                key={range.name}
                range={range}
                problem={problemOf(findings, rangeField(range.name))}
                trans={trans}
                onChange={changed => put(index, changed)}
                onRemove={() =>
                  change({
                    ranges: search.ranges.filter((_, at) => at !== index)
                  })
                }
              />
            ))}
          </tbody>
        </table>
      )}
      {problemOf(findings, FIELDS.ranges) && (
        <p className="jp-BottegaTraining-problem">
          {problemOf(findings, FIELDS.ranges)}
        </p>
      )}
      <AddRange {...props} />
    </div>
  );
}

function RangeRow(props: {
  range: IRange;
  problem: string | undefined;
  trans: IStepProps['trans'];
  onChange: (range: IRange) => void;
  onRemove: () => void;
}): JSX.Element {
  const { range, problem, trans, onChange } = props;
  const invalid = Boolean(problem);
  const said = useId();
  const text = (
    member: 'low' | 'high' | 'choices',
    label: string
  ): JSX.Element => (
    <input
      className="jp-BottegaInput"
      value={range[member]}
      aria-label={label}
      aria-invalid={invalid}
      aria-describedby={invalid ? said : undefined}
      spellCheck={false}
      inputMode={member === 'choices' ? 'text' : 'decimal'}
      onChange={event => onChange({ ...range, [member]: event.target.value })}
    />
  );
  return (
    <>
      <tr data-field={rangeField(range.name)}>
        <th scope="row">{range.name}</th>
        {range.kind === 'Categorical' ? (
          <td colSpan={3}>
            {text('choices', trans.__('%1: values, with commas', range.name))}
          </td>
        ) : (
          <>
            <td>{text('low', trans.__('%1: lowest', range.name))}</td>
            <td>{text('high', trans.__('%1: highest', range.name))}</td>
            <td>
              <select
                className="jp-BottegaInput"
                value={range.scaling}
                aria-label={trans.__('%1: scaling', range.name)}
                onChange={event =>
                  onChange({
                    ...range,
                    scaling:
                      SCALINGS.find(item => item === event.target.value) ??
                      'Auto'
                  })
                }
              >
                {SCALINGS.map(scaling => (
                  <option key={scaling} value={scaling}>
                    {scaling}
                  </option>
                ))}
              </select>
            </td>
          </>
        )}
        <td>
          <Button
            label={trans.__('Remove the range of %1', range.name)}
            onClick={props.onRemove}
          >
            ✕
          </Button>
        </td>
      </tr>
      {problem && (
        <tr>
          <td id={said} colSpan={5} className="jp-BottegaTraining-problem">
            {problem}
          </td>
        </tr>
      )}
    </>
  );
}

/** Adds a range: of an algorithm's hyperparameter, or of any that a script takes. */
function AddRange(props: ISearchProps): JSX.Element {
  const { algorithm, change, draft, search, trans } = props;
  const [name, setName] = useState('');
  const [kind, setKind] = useState<RangeKind>('Continuous');
  const taken = new Set(search.ranges.map(range => range.name));
  const add = (range: IRange): void =>
    change({ ranges: [...search.ranges, range] });
  if (algorithm) {
    const left = tunable(algorithm, draft.hyperparameters).filter(
      item => !taken.has(item.Name)
    );
    return (
      <select
        className="jp-BottegaInput"
        value=""
        aria-label={trans.__('Search another hyperparameter')}
        disabled={left.length === 0}
        onChange={event => {
          const item = left.find(other => other.Name === event.target.value);
          if (item) {
            add(recommendedRange(item));
          }
        }}
      >
        <option value="">{trans.__('Search another hyperparameter…')}</option>
        {left.map(item => (
          <option key={item.Name} value={item.Name}>
            {item.Name}
          </option>
        ))}
      </select>
    );
  }
  const kinds: Record<RangeKind, string> = {
    Continuous: trans.__('Numbers'),
    Integer: trans.__('Whole numbers'),
    Categorical: trans.__('Categories')
  };
  return (
    <div className="jp-BottegaTraining-pair">
      <input
        className="jp-BottegaInput"
        value={name}
        placeholder={trans.__('name')}
        aria-label={trans.__('Hyperparameter to search')}
        spellCheck={false}
        onChange={event => setName(event.target.value.trim())}
      />
      <select
        className="jp-BottegaInput"
        value={kind}
        aria-label={trans.__('Kind of values')}
        onChange={event => setKind(event.target.value as RangeKind)}
      >
        {Object.entries(kinds).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
      <Button
        disabled={name === '' || taken.has(name)}
        onClick={() => {
          add({ name, kind, low: '', high: '', scaling: 'Auto', choices: '' });
          setName('');
        }}
      >
        {trans.__('Add range')}
      </Button>
    </div>
  );
}
