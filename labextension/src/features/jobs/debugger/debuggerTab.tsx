import { useState } from 'react';

import type { IDescribeTrainingJobDebuggerResponse } from '../../../api/types/debugger';
import { Button, Code, CopyButton } from '../../../shared/components/controls';
import { Loadable } from '../../../shared/components/states';
import { useLive } from '../../../shared/hooks/useLive';
import { isRunning } from '../facts';
import type { IJobViewProps } from '../jobView';
import { debuggerPython, withSuggestedRules } from './code';
import { asksForDebugger, concernsJob, POLL_MS } from './facts';
import { Rules } from './rules';
import { Tensors } from './tensors';

/** What the job's rules found, the tensors it saved, and its reports. */
export function DebuggerTab(props: IJobViewProps): JSX.Element {
  const { client, job, trans } = props;
  const name = job.TrainingJobName;
  const running = isRunning(job.TrainingJobStatus);
  const live = useLive(
    props,
    signal =>
      client.call(
        'bottega:DescribeTrainingJobDebugger',
        { TrainingJobName: name },
        signal
      ),
    [name, running],
    { concerns: concernsJob(name), every: running ? POLL_MS : null }
  );
  return (
    <Loadable
      live={live}
      trans={trans}
      what={trans.__('What the Debugger found cannot be read.')}
    >
      {found =>
        isEmpty(found) && !asksForDebugger(job) ? (
          <WithoutRules {...props} />
        ) : (
          <Found {...props} found={found} />
        )
      }
    </Loadable>
  );
}

function isEmpty(found: IDescribeTrainingJobDebuggerResponse): boolean {
  return found.Rules.length === 0 && found.Collections.length === 0;
}

function Found(
  props: IJobViewProps & { found: IDescribeTrainingJobDebuggerResponse }
): JSX.Element {
  const { found, job, studio, trans } = props;
  const code = (): string => debuggerPython(job);
  return (
    <>
      <div className="jp-BottegaDebugger-head">
        <p>{summary(found, trans)}</p>
        <CopyButton
          text={code}
          label={trans.__('Copy rules as Python')}
          trans={trans}
        />
        <Button
          onClick={() =>
            void studio.openInNotebook(code(), job.TrainingJobName)
          }
        >
          {trans.__('Open rules in notebook')}
        </Button>
      </div>
      {found.EvaluatorStatus === 'Failed' && (
        <p className="jp-BottegaStale" role="alert">
          {trans.__(
            'The rules are not evaluated: %1',
            found.EvaluatorMessage ?? trans.__('their process has failed.')
          )}
        </p>
      )}
      {found.TensorsMessage !== undefined && (
        <p className="jp-BottegaStale" role="alert">
          {found.TensorsMessage}
        </p>
      )}
      <Rules {...props} rules={found.Rules} />
      <Tensors {...props} found={found} />
    </>
  );
}

function summary(
  found: IDescribeTrainingJobDebuggerResponse,
  trans: IJobViewProps['trans']
): string {
  const count = (...statuses: string[]): number =>
    found.Rules.filter(rule => statuses.includes(rule.Status)).length;
  const told: Array<[number, (count: number) => string]> = [
    [found.Rules.length, rules => trans._n('%1 rule', '%1 rules', rules)],
    [
      count('IssuesFound'),
      rules => trans._n('%1 found issues', '%1 found issues', rules)
    ],
    [
      count('NoIssuesFound'),
      rules => trans._n('%1 found none', '%1 found none', rules)
    ],
    [
      count('InProgress', 'Stopping'),
      rules => trans._n('%1 is looking', '%1 are looking', rules)
    ],
    [
      count('Error'),
      rules => trans._n('%1 could not look', '%1 could not look', rules)
    ]
  ];
  const parts = told
    .filter(([rules]) => rules > 0)
    .map(([rules, words]) => words(rules));
  if (found.TensorCount !== undefined && found.LastStep !== undefined) {
    parts.push(
      trans.__(
        '%1 tensors up to step %2',
        found.TensorCount.toLocaleString(),
        found.LastStep.toLocaleString()
      )
    );
  }
  return parts.join(' · ');
}

/** A job of which nothing was asked: what would have to be in the request. */
function WithoutRules(props: IJobViewProps): JSX.Element {
  const { job, trans } = props;
  const [code] = useState(() => debuggerPython(withSuggestedRules(job)));
  return (
    <div className="jp-BottegaDebugger-none">
      <p>
        {trans.__(
          'This job was started without rules, so nobody watched its tensors. DebugRuleConfigurations and ProfilerRuleConfigurations of CreateTrainingJob say what to watch; with the SageMaker SDK it is this:'
        )}
      </p>
      <Code
        code={code}
        label={trans.__('The same job with rules, in Python')}
        trans={trans}
      />
    </div>
  );
}
