import type { TranslationBundle } from '@jupyterlab/translation';
import { useId } from 'react';

import type {
  IDescribeEndpointOutput,
  IDescribeModelOutput
} from '../../api/types/hosting';
import type { ICallOptions } from './snippets';

/** Which model, variant or container shall answer, and the request's own name. */
export function CallOptions(props: {
  endpoint: IDescribeEndpointOutput;
  /** What the endpoint was made of, as far as it is known. */
  models: readonly IDescribeModelOutput[];
  /** The inference components that are on it. */
  components: readonly string[];
  options: ICallOptions;
  trans: TranslationBundle;
  onChange: (options: ICallOptions) => void;
}): JSX.Element {
  const { endpoint, models, components, options, trans, onChange } = props;
  const base = useId();
  const variants = (endpoint.ProductionVariants ?? []).map(
    item => item.VariantName
  );
  const containers = models.flatMap(containersOf);
  const many = containers.some(container => container.Mode === 'MultiModel');
  const direct = models.some(
    model => model.InferenceExecutionConfig?.Mode === 'Direct'
  )
    ? containers.flatMap(container => container.ContainerHostname ?? [])
    : [];
  const change = (part: ICallOptions): void =>
    onChange({ ...options, ...part });
  const asynchronous = endpoint.AsyncInferenceConfig !== undefined;
  return (
    <>
      {components.length > 0 && (
        <Choice
          label={trans.__('Inference component')}
          choices={components}
          value={options.component ?? ''}
          onChange={component => change({ component })}
        />
      )}
      {variants.length > 1 && components.length === 0 && !asynchronous && (
        <Choice
          label={trans.__('Variant')}
          none={trans.__('by weight')}
          choices={variants}
          value={options.variant ?? ''}
          onChange={variant => change({ variant })}
        />
      )}
      {direct.length > 0 && !asynchronous && (
        <Choice
          label={trans.__('Container')}
          none={trans.__('none')}
          choices={direct}
          value={options.container ?? ''}
          onChange={container => change({ container })}
        />
      )}
      {many && !asynchronous && (
        <span className="jp-BottegaTest-option">
          <label htmlFor={`${base}-model`}>{trans.__('Target model')}</label>
          <input
            id={`${base}-model`}
            className="jp-BottegaInput"
            placeholder={trans.__('model.tar.gz')}
            value={options.model ?? ''}
            onChange={event => change({ model: event.target.value })}
          />
        </span>
      )}
      <span className="jp-BottegaTest-option">
        <label htmlFor={`${base}-id`}>{trans.__('Inference id')}</label>
        <input
          id={`${base}-id`}
          className="jp-BottegaInput"
          placeholder={trans.__('none')}
          maxLength={64}
          value={options.inferenceId ?? ''}
          onChange={event => change({ inferenceId: event.target.value })}
        />
      </span>
    </>
  );
}

function Choice(props: {
  label: string;
  /** What there is instead of a choice; absent where one has to be made. */
  none?: string;
  choices: readonly string[];
  value: string;
  onChange: (value: string) => void;
}): JSX.Element {
  const id = useId();
  return (
    <span className="jp-BottegaTest-option">
      <label htmlFor={id}>{props.label}</label>
      <select
        id={id}
        className="jp-BottegaInput"
        value={props.value}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.none !== undefined && <option value="">{props.none}</option>}
        {props.choices.map(choice => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    </span>
  );
}

function containersOf(
  model: IDescribeModelOutput
): NonNullable<IDescribeModelOutput['Containers']> {
  const { PrimaryContainer: primary, Containers: all = [] } = model;
  return primary ? [primary, ...all] : all;
}
