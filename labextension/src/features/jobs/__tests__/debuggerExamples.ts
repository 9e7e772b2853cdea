import type {
  IDescribeTrainingJobDebuggerResponse,
  IGetTrainingJobTimelineResponse,
  IRuleReport
} from '../../../api/types/debugger';
import { NOON } from './examples';

/** A rule that has found nothing, with what a test wants to be different. */
export function rule(changes: Partial<IRuleReport> = {}): IRuleReport {
  return {
    RuleConfigurationName: 'LossNotDecreasing',
    RuleName: 'LossNotDecreasing',
    Kind: 'Debugger',
    Description: 'The loss does not go down.',
    Parameters: [
      { Name: 'num_steps', Value: '5', IsDefault: false },
      { Name: 'diff_percent', Value: '0.1', IsDefault: true }
    ],
    Status: 'NoIssuesFound',
    LastModifiedTime: NOON,
    Findings: [],
    FindingCount: 0,
    Actions: [],
    Reports: [],
    ...changes
  };
}

/** A rule that fired at step 30. */
export function firedRule(changes: Partial<IRuleReport> = {}): IRuleReport {
  return rule({
    Status: 'IssuesFound',
    StatusDetails:
      'RuleEvaluationConditionMet: Evaluation of the rule LossNotDecreasing at step 30 resulted in the condition being met',
    Findings: [
      {
        Step: 30,
        Time: NOON + 30,
        Tensors: ['train-logloss'],
        Message: 'The loss was 0.69 at step 20 and is 0.69 at step 30.',
        Advice: 'Try a larger learning rate.'
      }
    ],
    FindingCount: 1,
    ...changes
  });
}

/** What the Debugger says of a job with these rules, whose tensors were saved. */
export function described(
  rules: IRuleReport[],
  changes: Partial<IDescribeTrainingJobDebuggerResponse> = {}
): IDescribeTrainingJobDebuggerResponse {
  return {
    TrainingJobName: 'churn-0412',
    TrainingJobStatus: 'Completed',
    Rules: rules,
    Collections: [
      { Name: 'losses', TensorCount: 1, Parameters: {} },
      { Name: 'metrics', TensorCount: 2, Parameters: { save_interval: '5' } },
      { Name: 'weights', TensorCount: 0, Parameters: {} }
    ],
    Modes: ['GLOBAL'],
    TensorCount: 3,
    LastStep: 299,
    StepCount: 60,
    ProfilingStatus: 'Enabled',
    ProfilerParameters: {},
    ...changes
  };
}

/** A minute of a job: one host, two lanes, one finding. */
export function timelineOf(
  changes: Partial<IGetTrainingJobTimelineResponse> = {}
): IGetTrainingJobTimelineResponse {
  const series = (Name: string, Unit: 'Percent' | 'BytesPerSecond') => ({
    Name,
    Unit,
    Times: [NOON, NOON + 10, NOON + 50],
    Values: [10, 90, 20],
    PointCount: 3
  });
  return {
    Begin: NOON,
    End: NOON + 60,
    From: NOON,
    To: NOON + 60,
    EventCount: 102,
    Hosts: [
      {
        HostName: 'algo-1',
        LogGroupName: '/aws/sagemaker/TrainingJobs',
        LogStreamName: 'churn-0412/algo-1-1',
        Series: [
          series('CPUUtilization', 'Percent'),
          series('CPUUtilization cpu0', 'Percent'),
          series('I/OWaitPercentage', 'Percent'),
          series('ReceiveBytesPerSecond', 'BytesPerSecond')
        ]
      }
    ],
    Lanes: [
      {
        HostName: 'algo-1',
        ProcessId: 7,
        Name: 'Step:ModeKeys.TRAIN',
        Begins: [NOON + 1, NOON + 20],
        Ends: [NOON + 2, NOON + 30],
        Steps: [0, 1],
        Counts: [1, 100],
        Busy: [1, 0.8]
      },
      {
        HostName: 'algo-1',
        ProcessId: 7,
        Name: 'DataLoader',
        Begins: [NOON + 0.5],
        Ends: [NOON + 0.75],
        Steps: [-1],
        Counts: [1],
        Busy: [1]
      }
    ],
    Findings: [
      {
        RuleConfigurationName: 'StepOutlier',
        Begin: NOON + 20,
        End: NOON + 30,
        Message: 'A step took 10 s.'
      }
    ],
    ...changes
  };
}
