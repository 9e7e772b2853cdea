import type { TranslationBundle } from '@jupyterlab/translation';

import type { FindingSeverity } from '../../api/types/training';
import { Button } from '../../shared/components/controls';
import { Failure } from '../../shared/components/states';
import { bytes } from '../../shared/format';
import { hasField } from './focusField';
import type { IFailure, Stage, TrainModel } from './trainModel';

const SIGNS: Record<FindingSeverity, string> = {
  Error: '✕',
  Warning: '!',
  Information: 'i'
};

/** What would fail or wait, and the button that starts the job. */
export function FindingsPanel(props: {
  model: TrainModel;
  trans: TranslationBundle;
  /** Leads to the field of a finding. */
  onFocus: (field: string) => void;
  onStart: () => void;
}): JSX.Element {
  const { model, trans } = props;
  const { findings, stage } = model;
  const errors = findings.filter(item => item.Severity === 'Error').length;
  return (
    <aside
      className="jp-BottegaTraining-panel"
      aria-label={trans.__('Before the start')}
      data-state={stage ?? (model.isChecking ? 'checking' : 'ready')}
    >
      <h2>{trans.__('Before the start')}</h2>
      <p aria-live="polite" className="jp-BottegaTraining-summary">
        {summary(model, errors, trans)}
      </p>
      <ul className="jp-BottegaTraining-findings">
        {findings.map((item, index) => (
          <li
            key={`${item.Field}-${index}`}
            className={`jp-BottegaTraining-finding jp-mod-${item.Severity.toLowerCase()}`}
            data-severity={item.Severity}
          >
            <span
              className="jp-BottegaTraining-sign"
              role="img"
              aria-label={severityLabel(item.Severity, trans)}
            >
              {SIGNS[item.Severity]}
            </span>
            {hasField(item.Field) ? (
              <button type="button" onClick={() => props.onFocus(item.Field)}>
                {item.Message}
              </button>
            ) : (
              <span>{item.Message}</span>
            )}
          </li>
        ))}
      </ul>
      {model.checkProblem && (
        <p className="jp-BottegaTraining-problem">
          {trans.__(
            'The studio could not check the job: %1',
            model.checkProblem.message
          )}
        </p>
      )}
      <Capacity model={model} trans={trans} />
      {model.failure && model.failure.what !== 'load' && (
        <Failure
          error={model.failure.error}
          trans={trans}
          what={failureText(model.failure.what, trans)}
        />
      )}
      <div className="jp-BottegaTraining-start">
        <Button
          kind="primary"
          disabled={!model.canStart}
          title={
            errors > 0
              ? trans.__('What is marked has to be mended first')
              : model.draft.search
                ? trans.__('Start the tuning job')
                : trans.__('Start the training job')
          }
          onClick={props.onStart}
        >
          {stage !== null
            ? stageText(stage, trans)
            : model.draft.search
              ? trans.__('Tune')
              : trans.__('Train')}
        </Button>
        <Button disabled={stage !== null} onClick={() => model.checkAgain()}>
          {trans.__('Check again')}
        </Button>
      </div>
    </aside>
  );
}

function summary(
  model: TrainModel,
  errors: number,
  trans: TranslationBundle
): string {
  if (model.stage !== null) {
    return stageText(model.stage, trans);
  }
  if (errors > 0) {
    return trans._n(
      '%1 thing has to be mended before the job can start.',
      '%1 things have to be mended before the job can start.',
      errors
    );
  }
  return model.isChecking
    ? trans.__('Checking…')
    : trans.__('Nothing stands in the way.');
}

function stageText(stage: Stage, trans: TranslationBundle): string {
  return {
    sending: trans.__('Sending the data…'),
    checking: trans.__('Checking…'),
    creating: trans.__('Starting the job…')
  }[stage];
}

function severityLabel(
  severity: FindingSeverity,
  trans: TranslationBundle
): string {
  return {
    Error: trans.__('Error'),
    Warning: trans.__('Warning'),
    Information: trans.__('Note')
  }[severity];
}

function failureText(what: IFailure['what'], trans: TranslationBundle): string {
  return {
    load: trans.__('The algorithms cannot be read.'),
    clone: trans.__('The job cannot be cloned.'),
    upload: trans.__('The file cannot be sent.'),
    start: trans.__('The job cannot be started.')
  }[what];
}

/** What the job takes of the machine, and what it waits for. */
function Capacity(props: {
  model: TrainModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  const {
    SlotsWanted: wanted,
    SlotsFree: free,
    JobsAhead: ahead = 0,
    InputBytes: size
  } = props.model.capacity ?? {};
  if (wanted === undefined || free === undefined) {
    return <></>;
  }
  const lines = [
    trans.__('Takes %1 of %2 free slots.', wanted, free),
    ...(wanted > free || ahead > 0
      ? [
          trans._n(
            'It waits: %1 job is ahead.',
            'It waits: %1 jobs are ahead.',
            ahead
          )
        ]
      : []),
    ...(size ? [trans.__('Data in the store: %1.', bytes(size))] : [])
  ];
  return (
    <p className="jp-BottegaTraining-capacity">
      {lines.map(line => (
        <span key={line}>{line} </span>
      ))}
    </p>
  );
}
