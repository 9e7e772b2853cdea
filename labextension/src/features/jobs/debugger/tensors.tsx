import { useId, useState } from 'react';

import type {
  IDescribeTrainingJobDebuggerResponse,
  IListTensorNamesResponse,
  TensorStatistic
} from '../../../api/types/debugger';
import { Card } from '../../../shared/components/card';
import { FilterBox } from '../../../shared/components/controls';
import { Failure, Loadable } from '../../../shared/components/states';
import type { Live } from '../../../shared/hooks/useLive';
import { useLive } from '../../../shared/hooks/useLive';
import { isRunning } from '../facts';
import type { IJobViewProps } from '../jobView';
import { Courses } from './courses';
import { POLL_MS } from './facts';

/** So many tensors are offered at a time; a filter leads to the others. */
const OFFERED = 100;
/** So many can be drawn together. */
const MOST_DRAWN = 20;
/** So many are drawn before anybody has chosen. */
const DRAWN_FIRST = 4;

/** The collections that say most at first sight. */
const FIRST_COLLECTIONS = ['losses', 'metrics'];

const STATISTICS: readonly TensorStatistic[] = [
  'value',
  'mean',
  'min',
  'max',
  'std',
  'l2',
  'abs_mean'
];

/** The tensors that were saved: found by collection and name, and drawn over the steps. */
export function Tensors(
  props: IJobViewProps & { found: IDescribeTrainingJobDebuggerResponse }
): JSX.Element | null {
  const { found, job, trans } = props;
  if (found.TensorsMessage !== undefined) {
    return null; // it is said above that they cannot be read
  }
  if (found.TensorCount === undefined || found.TensorCount === 0) {
    return (
      <Card title={trans.__('Tensors')}>
        <p className="jp-BottegaHeader-facts">
          {isRunning(job.TrainingJobStatus)
            ? trans.__('No tensor has been saved yet.')
            : trans.__('The job saved no tensors.')}
        </p>
      </Card>
    );
  }
  return <Browser {...props} />;
}

function Browser(
  props: IJobViewProps & { found: IDescribeTrainingJobDebuggerResponse }
): JSX.Element {
  const { client, found, job, trans } = props;
  const name = job.TrainingJobName;
  const running = isRunning(job.TrainingJobStatus);
  const collections = found.Collections.filter(item => item.TensorCount > 0);
  const [collection, setCollection] = useState(
    () =>
      FIRST_COLLECTIONS.find(wanted =>
        collections.some(item => item.Name === wanted)
      ) ?? ''
  );
  const [regex, setRegex] = useState('');
  const [statistic, setStatistic] = useState<TensorStatistic>('value');
  const [isLogarithmic, setLogarithmic] = useState(false);
  const [chosen, setChosen] = useState<readonly string[] | null>(null);
  const listed = useLive(
    props,
    signal =>
      client.call(
        'bottega:ListTensorNames',
        {
          TrainingJobName: name,
          MaxResults: OFFERED,
          ...(collection ? { Collection: collection } : {}),
          ...(regex ? { Regex: regex } : {})
        },
        signal
      ),
    [name, collection, regex, running],
    { every: running ? 5 * POLL_MS : null }
  );
  const offered =
    listed.state === 'ready'
      ? listed.value.Tensors.map(tensor => tensor.Name)
      : [];
  const drawn = chosen ?? offered.slice(0, DRAWN_FIRST);
  return (
    <Card title={trans.__('Tensors')}>
      <div className="jp-BottegaTensors-controls">
        <select
          className="jp-BottegaInput"
          aria-label={trans.__('Collection')}
          value={collection}
          onChange={event => setCollection(event.target.value)}
        >
          <option value="">
            {trans.__('All collections (%1)', found.TensorCount ?? 0)}
          </option>
          {collections.map(item => (
            <option key={item.Name} value={item.Name}>
              {`${item.Name} (${item.TensorCount})`}
            </option>
          ))}
        </select>
        <FilterBox
          value={regex}
          onChange={setRegex}
          label={trans.__('Filter tensors by a regular expression')}
          placeholder={trans.__('Names that match, such as ^layer1.*weight')}
          problem={
            listed.state === 'error' && regex ? listed.error.message : null
          }
        />
        <select
          className="jp-BottegaInput"
          aria-label={trans.__('What is drawn of each tensor')}
          value={statistic}
          onChange={event =>
            setStatistic(event.target.value as TensorStatistic)
          }
        >
          {STATISTICS.map(item => (
            <option key={item} value={item}>
              {item}
            </option>
          ))}
        </select>
        <label>
          <input
            type="checkbox"
            checked={isLogarithmic}
            onChange={event => setLogarithmic(event.target.checked)}
          />{' '}
          {trans.__('Logarithmic')}
        </label>
        {chosen !== null && chosen.length > 0 && (
          <button
            type="button"
            className="jp-BottegaLink"
            onClick={() => setChosen([])}
          >
            {trans.__('Clear the choice')}
          </button>
        )}
      </div>
      <div className="jp-BottegaTensors">
        <Names
          {...props}
          listed={listed}
          isFiltered={regex !== ''}
          chosen={drawn}
          onChoose={setChosen}
        />
        <Courses
          {...props}
          names={drawn}
          statistic={statistic}
          isLogarithmic={isLogarithmic}
        />
      </div>
    </Card>
  );
}

function Names(
  props: IJobViewProps & {
    listed: Live<IListTensorNamesResponse>;
    isFiltered: boolean;
    chosen: readonly string[];
    onChoose: (names: readonly string[]) => void;
  }
): JSX.Element {
  const { chosen, listed, onChoose, trans } = props;
  const base = useId();
  if (listed.state === 'error' && props.isFiltered) {
    return <div className="jp-BottegaTensors-names" />; // the box of the filter says why
  }
  if (listed.state === 'error') {
    return (
      <Failure
        error={listed.error}
        trans={trans}
        what={trans.__('The tensors cannot be listed.')}
        retry={listed.retry}
      />
    );
  }
  const isFull = chosen.length >= MOST_DRAWN;
  return (
    <div className="jp-BottegaTensors-names">
      <Loadable
        live={listed}
        trans={trans}
        what={trans.__('The tensors cannot be listed.')}
      >
        {({ Tensors: tensors, TensorCount: total }) => (
          <>
            <ul aria-label={trans.__('Names of tensors')}>
              {tensors.map((tensor, index) => {
                const isChosen = chosen.includes(tensor.Name);
                return (
                  <li key={tensor.Name}>
                    <input
                      id={`${base}-${index}`}
                      type="checkbox"
                      checked={isChosen}
                      disabled={isFull && !isChosen}
                      onChange={() =>
                        onChoose(
                          isChosen
                            ? chosen.filter(name => name !== tensor.Name)
                            : [...chosen, tensor.Name]
                        )
                      }
                    />
                    <label
                      htmlFor={`${base}-${index}`}
                      title={trans.__(
                        '%1: %2 steps, the last one %3',
                        tensor.Name,
                        tensor.StepCount,
                        tensor.LastStep ?? '-'
                      )}
                    >
                      {tensor.Name}
                    </label>
                  </li>
                );
              })}
            </ul>
            <p className="jp-BottegaHeader-facts">
              {tensors.length === 0
                ? trans.__('No tensor has such a name.')
                : tensors.length < total
                  ? trans.__(
                      '%1 of %2; a filter leads to the others.',
                      tensors.length,
                      total.toLocaleString()
                    )
                  : trans._n('%1 tensor', '%1 tensors', total)}
              {isFull &&
                ` ${trans.__('%1 can be drawn together.', MOST_DRAWN)}`}
            </p>
          </>
        )}
      </Loadable>
    </div>
  );
}
