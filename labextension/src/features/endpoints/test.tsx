import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { IInvocation } from '../../api/client';
import { BottegaError } from '../../api/request';
import type { IDescribeEndpointOutput } from '../../api/types/hosting';
import { Button, Code, Tabs } from '../../shared/components/controls';
import { Failure } from '../../shared/components/states';
import { latency } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import type { IScreenProps } from '../../tokens';
import type { ISample } from './captureTab';
import { snippets } from './snippets';

const CONTENT_TYPES = [
  'text/csv',
  'application/json',
  'application/jsonlines',
  'text/libsvm'
];

type Answer =
  | { state: 'none' }
  | { state: 'waiting' }
  | { state: 'answered'; invocation: IInvocation }
  | { state: 'refused'; error: Error };

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
  const [variant, setVariant] = useState('');
  const [answer, setAnswer] = useState<Answer>({ state: 'none' });
  const suggested = suggestion.state === 'ready' ? suggestion.value : null;
  useEffect(() => {
    if (suggested && !touched) {
      setBody(suggested.Body);
      setContentType(suggested.ContentType);
    }
  }, [suggested, touched]);

  const ready = endpoint.EndpointStatus === 'InService';
  const canSend = ready && answer.state !== 'waiting';
  const send = async (): Promise<void> => {
    setAnswer({ state: 'waiting' });
    try {
      const invocation = await client.invoke(name, body, {
        contentType,
        ...(variant ? { variant } : {})
      });
      setAnswer({ state: 'answered', invocation });
    } catch (error) {
      setAnswer({
        state: 'refused',
        error: error instanceof Error ? error : new Error(String(error))
      });
    }
  };
  const variants = (endpoint.ProductionVariants ?? []).map(
    item => item.VariantName
  );
  return (
    <div className="jp-BottegaTest">
      <section className="jp-BottegaCard">
        <h2>{trans.__('Request')}</h2>
        <div className="jp-BottegaTest-controls">
          <label htmlFor={`${base}-type`}>{trans.__('Content type')}</label>
          <input
            id={`${base}-type`}
            className="jp-BottegaInput"
            list={`${base}-types`}
            value={contentType}
            onChange={event => setContentType(event.target.value)}
          />
          <datalist id={`${base}-types`}>
            {CONTENT_TYPES.map(type => (
              <option key={type} value={type} />
            ))}
          </datalist>
          {variants.length > 1 && (
            <>
              <label htmlFor={`${base}-variant`}>{trans.__('Variant')}</label>
              <select
                id={`${base}-variant`}
                className="jp-BottegaInput"
                value={variant}
                onChange={event => setVariant(event.target.value)}
              >
                <option value="">{trans.__('by weight')}</option>
                {variants.map(option => (
                  <option key={option}>{option}</option>
                ))}
              </select>
            </>
          )}
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
        <Hint suggestion={suggestion} trans={trans} />
        <div className="jp-BottegaTest-controls">
          <Button
            kind="primary"
            disabled={!canSend}
            title={
              ready
                ? trans.__('Ctrl+Enter')
                : trans.__('Only an endpoint in service answers')
            }
            onClick={() => void send()}
          >
            {trans.__('Send')}
          </Button>
        </div>
        <div aria-live="polite" data-answer={answer.state}>
          <AnswerView answer={answer} trans={trans} />
        </div>
      </section>
      <Snippets
        endpoint={name}
        contentType={contentType}
        body={body}
        trans={trans}
      />
    </div>
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

function AnswerView(props: {
  answer: Answer;
  trans: TranslationBundle;
}): JSX.Element {
  const { answer, trans } = props;
  if (answer.state === 'answered') {
    const { invocation } = answer;
    return (
      <>
        <p>
          <span className="jp-BottegaStatus jp-mod-good">
            <span aria-hidden="true" className="jp-BottegaStatus-sign">
              ✓
            </span>
            {latency(invocation.seconds)} · {invocation.variant} ·{' '}
            {invocation.contentType}
          </span>
        </p>
        <Code
          code={readable(invocation)}
          label={trans.__('Response')}
          trans={trans}
        />
      </>
    );
  }
  if (answer.state === 'refused') {
    const refused = answer.error instanceof BottegaError;
    return (
      <Failure
        error={answer.error}
        trans={trans}
        what={
          refused
            ? trans.__('The request was refused.')
            : trans.__('The request was not answered.')
        }
      />
    );
  }
  return <></>;
}

/** JSON is set out in lines; everything else is shown as it came. */
export function readable(invocation: IInvocation): string {
  if (invocation.contentType.startsWith('application/json')) {
    try {
      return JSON.stringify(JSON.parse(invocation.body), null, 2);
    } catch {
      return invocation.body; // a model server may call anything JSON
    }
  }
  return invocation.body;
}

function Snippets(props: {
  endpoint: string;
  contentType: string;
  body: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  const [chosen, setChosen] = useState('boto3');
  const all = snippets(props);
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
