import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { IDeployRequest } from '../../api/client';
import type { EndpointKind } from '../../api/types/hosting';
import type { IBottegaClient } from '../../tokens';
import { kindName } from './kinds';

const PATTERN = '[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}';
const NAME = new RegExp(`^${PATTERN}$`);

interface IFormProps {
  initial: Partial<IDeployRequest>;
  /** Completed jobs to choose from, newest first; null where the source is given. */
  jobs: string[] | null;
  trans: TranslationBundle;
  onChange: (request: IDeployRequest | null) => void;
}

/** What is asked before a model is deployed. */
export function DeployForm(props: IFormProps): JSX.Element {
  const { initial, jobs, trans, onChange } = props;
  const base = useId();
  const [job, setJob] = useState(initial.job ?? jobs?.[0] ?? '');
  const [name, setName] = useState(initial.name ?? '');
  const [count, setCount] = useState(initial.instance_count ?? 1);
  const [kind, setKind] = useState<EndpointKind>('RealTime');
  const [capture, setCapture] = useState(0);
  const { run, version } = initial;
  const endpoint = name || suggestedName(version ?? (run ? `run-${run}` : job));
  const given = run !== undefined || version !== undefined;
  const fine = NAME.test(endpoint) && (given || job !== '');
  useEffect(() => {
    onChange(
      fine
        ? {
            ...(run === undefined ? {} : { run }),
            ...(version === undefined ? {} : { version }),
            ...(given ? {} : { job }),
            name: endpoint,
            ...(kind === 'Serverless'
              ? { serverless_concurrency: count }
              : { instance_count: count }),
            ...(kind === 'Asynchronous' ? { asynchronous: true } : {}),
            ...(capture > 0 ? { capture_percent: capture } : {})
          }
        : null
    );
  }, [
    fine,
    given,
    job,
    run,
    version,
    endpoint,
    count,
    kind,
    capture,
    onChange
  ]);
  if (jobs?.length === 0) {
    return (
      <p>
        {trans.__(
          'There is no completed training job yet whose model could be deployed.'
        )}
      </p>
    );
  }
  return (
    <div className="jp-BottegaDialog">
      {jobs && (
        <>
          <label htmlFor={`${base}-job`}>{trans.__('Training job')}</label>
          <select
            id={`${base}-job`}
            className="jp-BottegaInput"
            value={job}
            onChange={event => setJob(event.target.value)}
          >
            {jobs.map(option => (
              <option key={option}>{option}</option>
            ))}
          </select>
        </>
      )}
      <label htmlFor={`${base}-name`}>{trans.__('Endpoint name')}</label>
      <input
        id={`${base}-name`}
        className="jp-BottegaInput"
        value={name}
        placeholder={endpoint}
        // With an invalid input JupyterLab's dialogs cannot be accepted.
        pattern={PATTERN}
        aria-invalid={!NAME.test(endpoint)}
        onChange={event => setName(event.target.value)}
      />
      {!NAME.test(endpoint) && (
        <p role="alert" className="jp-BottegaDialog-problem">
          {trans.__(
            'Letters, digits and hyphens, at most 63, with a letter or digit at both ends.'
          )}
        </p>
      )}
      <label htmlFor={`${base}-kind`}>{trans.__('Kind')}</label>
      <select
        id={`${base}-kind`}
        className="jp-BottegaInput"
        aria-describedby={`${base}-note`}
        value={kind}
        onChange={event => setKind(event.target.value as EndpointKind)}
      >
        {KINDS.map(option => (
          <option key={option} value={option}>
            {kindName(option, trans)}
          </option>
        ))}
      </select>
      <p id={`${base}-note`} className="jp-BottegaDialog-note">
        {kindNote(kind, trans)}
      </p>
      <label htmlFor={`${base}-count`}>
        {kind === 'Serverless'
          ? trans.__('Requests at once, at most')
          : trans.__('Instances')}
      </label>
      <input
        id={`${base}-count`}
        className="jp-BottegaInput"
        type="number"
        min={1}
        max={32}
        value={count}
        onChange={event =>
          setCount(Math.max(1, Math.floor(Number(event.target.value)) || 1))
        }
      />
      <label htmlFor={`${base}-capture`}>
        {trans.__('Capture, % of the requests')}
      </label>
      <input
        id={`${base}-capture`}
        className="jp-BottegaInput"
        type="number"
        min={0}
        max={100}
        value={capture}
        onChange={event =>
          setCapture(
            Math.min(100, Math.max(0, Math.round(Number(event.target.value))))
          )
        }
      />
      <p className="jp-BottegaDialog-note">
        {trans.__(
          'Captured requests and their answers are kept in the default bucket; 0 keeps none.'
        )}
      </p>
    </div>
  );
}

const KINDS: readonly EndpointKind[] = [
  'RealTime',
  'Serverless',
  'Asynchronous'
];

/** What a kind of endpoint means. */
function kindNote(kind: EndpointKind, trans: TranslationBundle): string {
  return {
    RealTime: trans.__(
      'Answers at once. Each instance is a model server on this machine.'
    ),
    Serverless: trans.__(
      'Model servers come with the requests, and end when none follow.'
    ),
    Asynchronous: trans.__(
      'Requests wait in a queue; each answer becomes an object in the default bucket.'
    )
  }[kind];
}

/** An endpoint's name made of a source's: cut to what a name may be. */
export function suggestedName(source: string): string {
  return source
    .replace(/[^a-zA-Z0-9-]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
}

class DeployBody extends ReactWidget {
  constructor(private readonly _props: Omit<IFormProps, 'onChange'>) {
    super();
  }

  getValue(): IDeployRequest | null {
    return this._request;
  }

  protected render(): JSX.Element {
    return <DeployForm {...this._props} onChange={this._onChange} />;
  }

  private _onChange = (request: IDeployRequest | null): void => {
    this._request = request;
  };
  private _request: IDeployRequest | null = null;
}

/**
 * Ask what to deploy, and begin.
 *
 * @param source the job, run or registered version whose model it is; asked for where it names none.
 * @returns the endpoint's name, or null when the user thought better of it.
 * @throws BottegaError when the deployment is refused.
 */
export async function deploy(
  client: IBottegaClient,
  source: { job?: string; run?: string; version?: string },
  trans: TranslationBundle
): Promise<string | null> {
  let jobs: string[] | null = null;
  if (!source.job && !source.run && !source.version) {
    const page = await client.call('bottega:ListJobs', {
      Filter: 'status:Completed',
      MaxResults: 100
    });
    jobs = page.Jobs.map(job => job.JobName);
  }
  const answer = await showDialog({
    title: trans.__('Deploy a model'),
    body: new DeployBody({ initial: source, jobs, trans }),
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Deploy') })
    ]
  });
  if (!answer.button.accept || !answer.value) {
    return null;
  }
  return await client.deploy(answer.value);
}
