import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { IRegisterRequest } from '../../api/client';
import type { IRegistryGroup } from '../../api/types/registry';
import { asError } from '../../shared/asError';
import { isName, NAME_PATTERN, suggestedName } from '../../shared/names';
import type { IBottegaClient } from '../../tokens';

/** So many groups are suggested at most. */
const SUGGESTED = 20;
/** Of a ModelPackageDescription. */
const LONGEST_DESCRIPTION = 1024;
const TYPING_MS = 200;

type Groups =
  | { state: 'loading' }
  | { state: 'error'; error: Error }
  | { state: 'ready'; groups: readonly IRegistryGroup[]; total: number };

interface IFormProps {
  client: Pick<IBottegaClient, 'call'>;
  job: string;
  trans: TranslationBundle;
  onChange: (request: IRegisterRequest | null) => void;
}

/** What is asked before the model of a job is put into the registry. */
export function RegisterForm(props: IFormProps): JSX.Element {
  const { client, job, trans, onChange } = props;
  const base = useId();
  const [group, setGroup] = useState(suggestedGroup(job));
  const [description, setDescription] = useState('');
  const [approved, setApproved] = useState(false);
  const groups = useGroups(client, group);
  const fine = isName(group);
  useEffect(() => {
    onChange(fine ? { job, group, description, approved } : null);
  }, [fine, job, group, description, approved, onChange]);
  return (
    <div className="jp-BottegaDialog">
      <label htmlFor={`${base}-group`}>{trans.__('Group')}</label>
      <input
        id={`${base}-group`}
        className="jp-BottegaInput"
        list={`${base}-groups`}
        value={group}
        // With an invalid input JupyterLab's dialogs cannot be accepted.
        required
        pattern={NAME_PATTERN}
        spellCheck={false}
        aria-invalid={!fine}
        aria-describedby={`${base}-note`}
        onChange={event => setGroup(event.target.value)}
      />
      <datalist id={`${base}-groups`}>
        {groups.state === 'ready' &&
          groups.groups.map(found => (
            <option key={found.GroupName} value={found.GroupName} />
          ))}
      </datalist>
      <p id={`${base}-note`} role="status" className="jp-BottegaDialog-note">
        {fine ? groupNote(groups, group, trans) : ''}
      </p>
      {!fine && (
        <p role="alert" className="jp-BottegaDialog-problem">
          {trans.__(
            'Letters, digits and hyphens, at most 63, with a letter or digit at both ends.'
          )}
        </p>
      )}
      <label htmlFor={`${base}-description`}>
        {trans.__('Description of the version (may be left empty)')}
      </label>
      <textarea
        id={`${base}-description`}
        className="jp-BottegaInput"
        rows={3}
        maxLength={LONGEST_DESCRIPTION}
        value={description}
        onChange={event => setDescription(event.target.value)}
      />
      <label htmlFor={`${base}-approval`}>{trans.__('Approval')}</label>
      <select
        id={`${base}-approval`}
        className="jp-BottegaInput"
        value={String(approved)}
        onChange={event => setApproved(event.target.value === 'true')}
      >
        <option value="false">
          {trans.__('Waits for approval: it cannot be deployed yet')}
        </option>
        <option value="true">
          {trans.__('Approved: it may be deployed at once')}
        </option>
      </select>
    </div>
  );
}

/** The groups whose names have in them what is typed. */
function useGroups(
  client: Pick<IBottegaClient, 'call'>,
  typed: string
): Groups {
  const [groups, setGroups] = useState<Groups>({ state: 'loading' });
  // Whatever is no part of a name would be a filter that is refused.
  const wanted = isName(typed) ? typed : '';
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      client
        .call(
          'bottega:ListRegistryGroups',
          {
            Filter: wanted,
            MaxResults: SUGGESTED,
            SortBy: 'Name',
            SortOrder: 'Ascending'
          },
          abort.signal
        )
        .then(
          page => {
            if (!abort.signal.aborted) {
              const { Groups: found, Total: total } = page;
              setGroups({ state: 'ready', groups: found, total });
            }
          },
          (reason: unknown) => {
            if (!abort.signal.aborted) {
              setGroups({ state: 'error', error: asError(reason) });
            }
          }
        );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, wanted]);
  return groups;
}

/** What becomes of the group that is typed. */
function groupNote(
  groups: Groups,
  group: string,
  trans: TranslationBundle
): string {
  if (groups.state === 'loading') {
    return trans.__('Looking for groups …');
  }
  if (groups.state === 'error') {
    return trans.__(
      'The groups cannot be listed: %1. A group of this name gets the next version; where there is none, it is made.',
      groups.error.message.replace(/\.$/, '')
    );
  }
  const found = groups.groups.find(
    // Names that differ in capitals alone are the same group's.
    one => one.GroupName.toLowerCase() === group.toLowerCase()
  );
  if (found) {
    return trans._n(
      'The group %2 has %1 version; this becomes the next one.',
      'The group %2 has %1 versions; this becomes the next one.',
      found.Versions,
      found.GroupName
    );
  }
  return groups.total > groups.groups.length
    ? trans.__(
        'A group of this name gets the next version; where there is none, it is made.'
      )
    : trans.__('The group is made, with this as its first version.');
}

/** A job's name without the time that was put behind it. */
export function suggestedGroup(job: string): string {
  return suggestedName(job.replace(/(-\d{8}-\d{6}(-\d+)?)$/, ''));
}

class RegisterBody extends ReactWidget {
  constructor(private readonly _props: Omit<IFormProps, 'onChange'>) {
    super();
  }

  getValue(): IRegisterRequest | null {
    return this._request;
  }

  protected render(): JSX.Element {
    return <RegisterForm {...this._props} onChange={this._onChange} />;
  }

  private _onChange = (request: IRegisterRequest | null): void => {
    this._request = request;
  };
  private _request: IRegisterRequest | null = null;
}

/**
 * Ask for a group, and put the model of a job into it.
 *
 * @returns the ARN of the version, or null when the user thought better of it.
 * @throws BottegaError when that is refused.
 */
export async function register(
  client: IBottegaClient,
  job: string,
  trans: TranslationBundle
): Promise<string | null> {
  const answer = await showDialog({
    title: trans.__('Register the model of %1', job),
    body: new RegisterBody({ client, job, trans }),
    focusNodeSelector: 'input',
    buttons: [
      Dialog.cancelButton(),
      Dialog.okButton({ label: trans.__('Register') })
    ]
  });
  return answer.button.accept && answer.value
    ? await client.register(answer.value)
    : null;
}
