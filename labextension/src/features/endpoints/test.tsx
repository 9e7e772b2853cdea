import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { IDescribeEndpointOutput } from '../../api/types/hosting';
import { asError } from '../../shared/asError';
import { Button, Code, Tabs } from '../../shared/components/controls';
import { useLive } from '../../shared/hooks/useLive';
import type { IScreenProps } from '../../tokens';
import type { Answer } from './answer';
import { AnswerView } from './answer';
import { CallOptions } from './callOptions';
import type { ISample } from './captureTab';
import { hasComponents, useComponents } from './components';
import { readConfiguration } from './configuration';
import type { ICallOptions } from './snippets';
import { snippets } from './snippets';

const CONTENT_TYPES = [
  'text/csv',
  'application/json',
  'application/jsonlines',
  'text/libsvm'
];

/** Send a request, and see how to send it from elsewhere. */
export function TestTab(
  props: IScreenProps & {
    endpoint: IDescribeEndpointOutput;
    /** A captured request to begin with; else one from the training data. */
    sample: ISample | null;
  }
): JSX.Element {
  const { client, trans, name, endpoint, sample } = props;
  const base = useId();
  const suggestion = useLive(
    props,
    signal =>
      client.call('bottega:SuggestInvocation', { EndpointName: name }, signal),
    [name, endpoint.EndpointConfigName]
  );
  const [contentType, setContentType] = useState(
    sample?.contentType ?? 'text/csv'
  );
  const [body, setBody] = useState(sample?.body ?? '');
  const [touched, setTouched] = useState(sample !== null);
  const [chosen, setOptions] = useState<ICallOptions>({});
  const [answer, setAnswer] = useState<Answer>({ state: 'none' });
  const config = endpoint.EndpointConfigName ?? '';
  const made = useLive(
    props,
    signal => readConfiguration(client, config, signal),
    [config]
  );
  const components = useComponents(props, endpoint);
  const onIt =
    components.state === 'ready'
      ? components.value.map(found => found.InferenceComponentName)
      : [];
  const options = onIt.includes(chosen.component ?? '')
    ? chosen
    : { ...chosen, component: onIt[0] ?? '' };
  const asynchronous = endpoint.AsyncInferenceConfig !== undefined;
  const suggested = suggestion.state === 'ready' ? suggestion.value : null;
  useEffect(() => {
    if (suggested && !touched) {
      setBody(suggested.Body);
      setContentType(suggested.ContentType);
    }
  }, [suggested, touched]);

  const ready =
    endpoint.EndpointStatus === 'InService' &&
    (onIt.length > 0 || !hasComponents(endpoint));
  const busy = answer.state === 'waiting' || answer.state === 'queued';
  const canSend = ready && !busy;
  const send = async (): Promise<void> => {
    setAnswer({ state: 'waiting' });
    try {
      const asked = { contentType, ...given(options) };
      if (asynchronous) {
        const invocation = await client.invokeAsync(name, body, asked);
        setAnswer({ state: 'queued', invocation, since: Date.now() / 1000 });
      } else {
        const invocation = await client.invoke(name, body, asked);
        setAnswer({ state: 'answered', invocation });
      }
    } catch (error) {
      setAnswer({ state: 'refused', error: asError(error) });
    }
  };
  return (
    <div className="jp-BottegaTest">
      <section className="jp-BottegaCard">
        <h2>{trans.__('Request')}</h2>
        <div className="jp-BottegaTest-controls">
          <span className="jp-BottegaTest-option">
            <label htmlFor={`${base}-type`}>{trans.__('Content type')}</label>
            <input
              id={`${base}-type`}
              className="jp-BottegaInput"
              list={`${base}-types`}
              value={contentType}
              onChange={event => setContentType(event.target.value)}
            />
          </span>
          <datalist id={`${base}-types`}>
            {CONTENT_TYPES.map(type => (
              <option key={type} value={type} />
            ))}
          </datalist>
          <CallOptions
            endpoint={endpoint}
            components={onIt}
            models={made.state === 'ready' ? made.value.models : []}
            options={options}
            trans={trans}
            onChange={setOptions}
          />
        </div>
        <textarea
          className="jp-BottegaInput jp-BottegaTest-body"
          rows={6}
          spellCheck={false}
          aria-label={trans.__('Body of the request')}
          value={body}
          onChange={event => {
            setTouched(true);
            setBody(event.target.value);
          }}
          onKeyDown={event => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              if (canSend) {
                void send();
              }
            }
          }}
        />
        {sample ? (
          <p className="jp-BottegaTest-hint">
            {trans.__('It began as a captured request.')}
          </p>
        ) : (
          <Hint suggestion={suggestion} trans={trans} />
        )}
        <div className="jp-BottegaTest-controls">
          <Button
            kind="primary"
            disabled={!canSend}
            title={
              ready
                ? trans.__('Ctrl+Enter')
                : endpoint.EndpointStatus === 'InService'
                  ? trans.__('No model is on this endpoint yet')
                  : trans.__('Only an endpoint in service answers')
            }
            onClick={() => void send()}
          >
            {trans.__('Send')}
          </Button>
        </div>
        <div aria-live="polite" data-answer={answer.state}>
          <AnswerView {...props} answer={answer} onAnswer={setAnswer} />
        </div>
      </section>
      <Snippets
        endpoint={name}
        contentType={contentType}
        body={body}
        asynchronous={asynchronous}
        options={given(options)}
        trans={trans}
      />
    </div>
  );
}

/** The options that say something. */
function given(options: ICallOptions): ICallOptions {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value)
  );
}

function Hint(props: {
  suggestion: ReturnType<
    typeof useLive<{ Source?: string; Columns?: string[] }>
  >;
  trans: TranslationBundle;
}): JSX.Element {
  const { suggestion, trans } = props;
  if (suggestion.state === 'error') {
    return (
      <p className="jp-BottegaTest-hint">
        {trans.__('No sample request: %1', suggestion.error.message)}
      </p>
    );
  }
  if (suggestion.state === 'loading') {
    return <p className="jp-BottegaTest-hint" />;
  }
  const { Source: source, Columns: columns } = suggestion.value;
  return (
    <p className="jp-BottegaTest-hint">
      {source}
      {columns && columns.length > 0 && (
        <>
          <br />
          {trans.__('Columns: %1', columns.join(', '))}
        </>
      )}
    </p>
  );
}

function Snippets(props: {
  endpoint: string;
  contentType: string;
  body: string;
  asynchronous: boolean;
  options: ICallOptions;
  trans: TranslationBundle;
}): JSX.Element {
  const { options, trans, ...call } = props;
  const [chosen, setChosen] = useState('boto3');
  const all = snippets({ ...call, ...options });
  return (
    <section className="jp-BottegaCard">
      <h2>{trans.__('Call it')}</h2>
      <Tabs
        label={trans.__('Clients')}
        chosen={chosen}
        onChoose={setChosen}
        tabs={all.map(snippet => ({
          id: snippet.id,
          label: snippet.client,
          render: () => (
            <Code code={snippet.code} label={snippet.client} trans={trans} />
          )
        }))}
      />
      <p className="jp-BottegaTest-hint">
        {trans.__(
          'Runs as it is in a notebook of the Studio, and in a shell after eval "$(bottega env)".'
        )}
      </p>
    </section>
  );
}
