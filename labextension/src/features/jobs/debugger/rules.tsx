import type { IRuleAction, IRuleReport } from '../../../api/types/debugger';
import { Button } from '../../../shared/components/controls';
import { StatusChip } from '../../../shared/components/status';
import { bytes, clock } from '../../../shared/format';
import { parseS3 } from '../facts';
import type { IJobViewProps } from '../jobView';
import { reportPath, reportsOf } from './facts';
import { Findings } from './findings';

type IRuleProps = IJobViewProps & { rule: IRuleReport };

/** What each rule looks for and what it found. */
export function Rules(
  props: IJobViewProps & { rules: readonly IRuleReport[] }
): JSX.Element {
  const { rules, trans } = props;
  if (rules.length === 0) {
    return (
      <p className="jp-BottegaHeader-facts">
        {trans.__(
          'The job has no rules: its tensors are saved, and watched by nobody.'
        )}
      </p>
    );
  }
  return (
    <ul className="jp-BottegaRules" aria-label={trans.__('Rules')}>
      {rules.map((rule, index) => (
        <li key={`${index} ${rule.RuleConfigurationName}`}>
          <Rule {...props} rule={rule} />
        </li>
      ))}
    </ul>
  );
}

function Rule(props: IRuleProps): JSX.Element {
  const { rule, trans } = props;
  const kind = {
    Debugger: trans.__('tensor rule'),
    Profiler: trans.__('profiler rule'),
    Custom: trans.__('rule of your own')
  }[rule.Kind];
  const isFailed = rule.Status === 'Error';
  return (
    <section
      className="jp-BottegaCard jp-BottegaRule"
      aria-label={rule.RuleConfigurationName}
      data-status={rule.Status}
    >
      <div className="jp-BottegaRule-head">
        <h2>{rule.RuleConfigurationName}</h2>
        <StatusChip status={rule.Status} />
        <span className="jp-BottegaHeader-facts">
          {kind}
          {rule.RuleName !== rule.RuleConfigurationName &&
            ` · ${rule.RuleName}`}
          {rule.LastStep !== undefined &&
            ` · ${trans.__('looked at up to step %1', rule.LastStep.toLocaleString())}`}
        </span>
      </div>
      {rule.Description && <p>{rule.Description}</p>}
      {rule.NotApplicable && (
        <p className="jp-BottegaHeader-facts">
          {trans.__('Nothing to look at here: %1', rule.NotApplicable)}
        </p>
      )}
      {rule.StatusDetails && (isFailed || rule.Findings.length === 0) && (
        <p
          className="jp-BottegaRule-details"
          role={isFailed ? 'alert' : undefined}
        >
          {rule.StatusDetails}
        </p>
      )}
      <Findings rule={rule} trans={trans} />
      {rule.Actions.length > 0 && <Actions {...props} />}
      <Files {...props} />
      <Parameters {...props} />
    </section>
  );
}

function Actions(props: IRuleProps): JSX.Element {
  const { rule, trans } = props;
  const outcome = (action: IRuleAction): string => {
    switch (action.Outcome) {
      case 'Waiting':
        return trans.__('when the rule fires');
      case 'InProgress':
        return trans.__('being done');
      case 'Done':
        return action.Time === undefined
          ? trans.__('done')
          : trans.__('done at %1', clock(action.Time));
      case 'Failed':
        return trans.__('could not be done');
    }
  };
  return (
    <ul className="jp-BottegaRule-actions" aria-label={trans.__('Actions')}>
      {rule.Actions.map((action, index) => (
        <li key={index} data-outcome={action.Outcome}>
          <strong>{action.Name}</strong>
          {action.Target && ` ${action.Target}`}: {outcome(action)}
          {action.Message && `. ${action.Message}`}
        </li>
      ))}
    </ul>
  );
}

/** The pages to open, and what else the rule has written to be fetched. */
function Files(props: IRuleProps): JSX.Element {
  const { client, job, rule, studio, trans } = props;
  if (rule.Reports.length === 0) {
    return <></>;
  }
  return (
    <div className="jp-BottegaRule-files">
      {reportsOf([rule]).map(report => (
        <Button
          key={report.id}
          onClick={() =>
            studio.open(reportPath(job.TrainingJobName, report.id))
          }
        >
          {trans.__('Open report')}
        </Button>
      ))}
      <details>
        <summary>
          {trans._n('%1 file', '%1 files', rule.Reports.length)}
        </summary>
        <ul>
          {rule.Reports.map(file => {
            const place = parseS3(file.S3Uri);
            return (
              <li key={file.S3Uri}>
                <a
                  href={client.downloadUrl(
                    place?.bucket ?? '',
                    place?.key ?? ''
                  )}
                  download
                >
                  {file.Name}
                </a>{' '}
                <span className="jp-BottegaHeader-facts">
                  {bytes(file.Size)}
                </span>
              </li>
            );
          })}
        </ul>
      </details>
    </div>
  );
}

function Parameters(props: IRuleProps): JSX.Element {
  const { rule, trans } = props;
  const given = rule.Parameters.filter(parameter => !parameter.IsDefault);
  if (rule.Parameters.length === 0) {
    return <></>;
  }
  return (
    <details>
      <summary>
        {given.length === 0
          ? trans.__('Parameters: all as they are by default')
          : trans.__(
              'Parameters: %1',
              given
                .map(parameter => `${parameter.Name} ${parameter.Value}`)
                .join(', ')
            )}
      </summary>
      <table className="jp-BottegaPlainTable">
        <tbody>
          {rule.Parameters.map(parameter => (
            <tr key={parameter.Name} data-changed={!parameter.IsDefault}>
              <th scope="row">{parameter.Name}</th>
              <td>
                {parameter.Value}
                {!parameter.IsDefault && (
                  <span className="jp-BottegaMark">{trans.__('given')}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
