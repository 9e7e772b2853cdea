import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { IDeployRequest, IModelSource } from '../../api/client';
import { BottegaError } from '../../api/request';
import type { EndpointKind } from '../../api/types/hosting';
import { checkDialog } from '../../shared/forms/formDialog';
import { isName, NAME_PATTERN, suggestedName } from '../../shared/names';
import type { IBottegaClient } from '../../tokens';
import { kindName } from './kinds';
import { isHopeless, ModelFindings, useModelCheck } from './modelFindings';

interface IFormProps {
  client: Pick<IBottegaClient, 'checkModel'>;
  initial: Partial<IDeployRequest>;
  /** Completed jobs to choose from, newest first; null where the source is given. */
  jobs: string[] | null;
  /** Where the version is approved first: told why, as it is typed. */
  onReason?: ((reason: string) => void) | undefined;
  trans: TranslationBundle;
  onChange: (request: IDeployRequest | null) => void;
}

/** What is asked before a model is deployed. */
export function DeployForm(props: IFormProps): JSX.Element {
  const { client, initial, jobs, onReason, trans, onChange } = props;
  const base = useId();
  const [job, setJob] = useState(initial.job ?? jobs?.[0] ?? '');
  const [name, setName] = useState(initial.name ?? '');
  const [count, setCount] = useState(initial.instance_count ?? 1);
  const [kind, setKind] = useState<EndpointKind>('RealTime');
  const [capture, setCapture] = useState(0);
  const { run, version } = initial;
  const endpoint = name || suggestedName(version ?? (run ? `run-${run}` : job));
  const given = run !== undefined || version !== undefined;
  const check = useModelCheck(client, given ? initial : { job });
  const hopeless = isHopeless(check);
  const fine = isName(endpoint) && (given || job !== '') && !hopeless;
  useEffect(checkDialog, [hopeless]);
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
      <ModelFindings check={check} trans={trans} />
      <label htmlFor={`${base}-name`}>{trans.__('Endpoint name')}</label>
      <input
        id={`${base}-name`}
        className="jp-BottegaInput"
        value={name}
        placeholder={endpoint}
        // With an invalid input JupyterLab's dialogs cannot be accepted.
        pattern={NAME_PATTERN}
        aria-invalid={!isName(endpoint)}
        onChange={event => setName(event.target.value)}
      />
      {!isName(endpoint) && (
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
      {onReason && (
        <>
          <label htmlFor={`${base}-reason`}>
            {trans.__('Why it is approved (may be left empty)')}
          </label>
          <input
            id={`${base}-reason`}
            className="jp-BottegaInput"
            maxLength={LONGEST_REASON}
            onChange={event => onReason(event.target.value)}
          />
        </>
      )}
    </div>
  );
}

/** Of an ApprovalDescription. */
const LONGEST_REASON = 1024;

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

class DeployBody extends ReactWidget {
  constructor(
    private readonly _props: Omit<IFormProps, 'onChange' | 'onReason'>,
    private readonly _approve: boolean
  ) {
    super();
  }

  /** Why the version is approved. */
  reason = '';

  getValue(): IDeployRequest | null {
    return this._request;
  }

  protected render(): JSX.Element {
    return (
      <DeployForm
        {...this._props}
        onReason={this._approve ? this._onReason : undefined}
        onChange={this._onChange}
      />
    );
  }

  private _onReason = (reason: string): void => {
    this.reason = reason;
  };
  private _onChange = (request: IDeployRequest | null): void => {
    this._request = request;
  };
  private _request: IDeployRequest | null = null;
}

/**
 * Ask what to deploy, and begin.
 *
 * @param source the job, run or registered version whose model it is; asked for where it names none.
 * @param approve whether the version is approved first.
 * @returns the endpoint's name, or null when the user thought better of it.
 * @throws BottegaError when the approval or the deployment is refused; its message says so where the
 * version is approved nevertheless.
 */
export async function deploy(
  client: IBottegaClient,
  source: IModelSource,
  trans: TranslationBundle,
  approve = false
): Promise<string | null> {
  let jobs: string[] | null = null;
  if (!source.job && !source.run && !source.version) {
    const page = await client.call('bottega:ListJobs', {
      Filter: 'kind:Training status:Completed',
      MaxResults: 100
    });
    jobs = page.Jobs.map(job => job.JobName);
  }
  const approved = approve ? source.version : undefined;
  const body = new DeployBody(
    { client, initial: source, jobs, trans },
    approved !== undefined
  );
  const answer = await showDialog({
    title: approved
      ? trans.__('Approve and deploy %1', approved)
      : trans.__('Deploy a model'),
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({
        label: approved ? trans.__('Approve and deploy') : trans.__('Deploy')
      })
    ]
  });
  if (!answer.button.accept || !answer.value) {
    return null;
  }
  if (approved === undefined) {
    return await client.deploy(answer.value);
  }
  const found = await client.call('sagemaker:DescribeModelPackage', {
    ModelPackageName: approved
  });
  await client.call('sagemaker:UpdateModelPackage', {
    ModelPackageArn: found.ModelPackageArn,
    ModelApprovalStatus: 'Approved',
    ApprovalDescription: body.reason
  });
  try {
    return await client.deploy(answer.value);
  } catch (error) {
    if (error instanceof BottegaError) {
      throw new BottegaError(
        error.code,
        trans.__(
          'The version is approved, but not deployed: %1',
          error.message
        ),
        error.status
      );
    }
    throw error;
  }
}
