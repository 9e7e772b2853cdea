import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useState } from 'react';

import type { IModelSource } from '../../api/client';
import type { IModelFinding } from '../../api/types/hosting';
import { asError } from '../../shared/asError';
import { Button } from '../../shared/components/controls';
import type { IBottegaClient } from '../../tokens';

/** What is known of whether a model can be served. */
export type ModelCheck =
  | { state: 'none' }
  | { state: 'checking' }
  | { state: 'failed'; error: Error; retry: () => void }
  | { state: 'checked'; findings: readonly IModelFinding[] };

/**
 * Check a model, and each other one that is chosen.
 *
 * @param source whose model it is; nothing is asked while it names none.
 */
export function useModelCheck(
  client: Pick<IBottegaClient, 'checkModel'>,
  source: IModelSource
): ModelCheck {
  const { job, run, version } = source;
  const [check, setCheck] = useState<ModelCheck>({ state: 'none' });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (!job && !run && !version) {
      setCheck({ state: 'none' });
      return;
    }
    const abort = new AbortController();
    const show = (found: ModelCheck): void => {
      if (!abort.signal.aborted) {
        setCheck(found);
      }
    };
    show({ state: 'checking' });
    client
      .checkModel(
        {
          ...(job ? { job } : {}),
          ...(run ? { run } : {}),
          ...(version ? { version } : {})
        },
        abort.signal
      )
      .then(
        findings => show({ state: 'checked', findings }),
        (reason: unknown) =>
          show({
            state: 'failed',
            error: asError(reason),
            retry: () => setAttempt(number => number + 1)
          })
      );
    return () => abort.abort();
  }, [client, job, run, version, attempt]);
  return check;
}

/** Whether the model cannot be served as it is. */
export function isHopeless(check: ModelCheck): boolean {
  return (
    check.state === 'checked' &&
    check.findings.some(finding => finding.Severity === 'Error')
  );
}

/** What was found of a model: errors with what to do, warnings, or that nothing is wrong. */
export function ModelFindings(props: {
  check: ModelCheck;
  trans: TranslationBundle;
}): JSX.Element {
  const { check, trans } = props;
  const hopeless = isHopeless(check);
  return (
    <div className="jp-BottegaFindings" data-check={check.state}>
      <p
        role={hopeless ? 'alert' : 'status'}
        className={
          hopeless ? 'jp-BottegaDialog-problem' : 'jp-BottegaDialog-note'
        }
      >
        {summary(check, hopeless, trans)}
      </p>
      {check.state === 'checked' && check.findings.length > 0 && (
        <ul>
          {check.findings.map((finding, index) => (
            <li
              key={index}
              // With jp-mod-error in it a dialog of JupyterLab cannot be accepted.
              className={`jp-mod-${finding.Severity.toLowerCase()}`}
              data-severity={finding.Severity}
            >
              <span
                role="img"
                aria-label={
                  finding.Severity === 'Error'
                    ? trans.__('Error')
                    : trans.__('Warning')
                }
              >
                {finding.Severity === 'Error' ? '✕' : '!'}
              </span>
              <span>
                <code>{finding.Where}</code> {finding.Message}
              </span>
            </li>
          ))}
        </ul>
      )}
      {check.state === 'failed' && (
        <Button onClick={check.retry}>{trans.__('Check again')}</Button>
      )}
    </div>
  );
}

function summary(
  check: ModelCheck,
  hopeless: boolean,
  trans: TranslationBundle
): string {
  switch (check.state) {
    case 'none':
      return '';
    case 'checking':
      return trans.__('Looking into the model …');
    case 'failed':
      return trans.__('The model is not checked: %1', check.error.message);
    case 'checked':
      return hopeless
        ? trans.__('The model cannot be served so:')
        : check.findings.length > 0
          ? trans.__('The model may not be served as it is meant:')
          : trans.__('Nothing wrong can be seen of the model.');
  }
}
