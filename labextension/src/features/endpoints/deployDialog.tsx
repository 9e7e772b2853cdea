import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { IDeployRequest } from '../../api/client';
import type { IBottegaClient } from '../../tokens';

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
  const endpoint =
    name || suggestedName(initial.run ? `run-${initial.run}` : job);
  const fine = NAME.test(endpoint) && (initial.run !== undefined || job !== '');
  useEffect(() => {
    onChange(
      fine
        ? {
            ...(initial.run === undefined ? { job } : { run: initial.run }),
            name: endpoint,
            instance_count: count
          }
        : null
    );
  }, [fine, job, endpoint, count, initial.run, onChange]);
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
      <label htmlFor={`${base}-count`}>{trans.__('Instances')}</label>
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
      <p className="jp-BottegaDialog-note">
        {trans.__('Each instance is a model server on this machine.')}
      </p>
    </div>
  );
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
 * @param source the job or run whose model it is; asked for when it names neither.
 * @returns the endpoint's name, or null when the user thought better of it.
 * @throws BottegaError when the deployment is refused.
 */
export async function deploy(
  client: IBottegaClient,
  source: { job?: string; run?: string },
  trans: TranslationBundle
): Promise<string | null> {
  let jobs: string[] | null = null;
  if (!source.job && !source.run) {
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
