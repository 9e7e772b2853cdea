import type { IExplainJobFailureResponse } from '../api/types/failures';

/** When its last lines were written, in seconds since 1970. */
export const FAILED_AT = 1_795_694_400;

/** Why the job failed, with what a test wants to be different. */
export function explained(
  changes: Partial<IExplainJobFailureResponse> = {}
): IExplainJobFailureResponse {
  const stream = 'churn-0412/algo-1-1';
  const lines = [
    'Traceback (most recent call last):',
    '  File "/opt/ml/code/train.py", line 4, in prepare',
    '    y = frame["Churn"]',
    "KeyError: 'Churn'"
  ];
  return {
    JobKind: 'Training',
    JobName: 'churn-0412',
    Known: true,
    Cause: {
      Code: 'LabelColumnMissing',
      Sentence: "The data have no label column 'Churn'. Did you mean 'churn'?",
      Confidence: 'certain',
      Advice: [
        {
          Text: 'Use the name that the data have.',
          Code: "target = 'churn'",
          Language: 'python'
        },
        { Text: 'See the names as pandas reads them.' }
      ],
      Evidence: { Text: "KeyError: 'Churn'", LogStreamName: stream, Line: 6 }
    },
    ExceptionType: 'KeyError',
    ExceptionMessage: "'Churn'",
    Location: { File: '/opt/ml/code/train.py', Line: 4 },
    LogGroupName: '/aws/sagemaker/TrainingJobs',
    Traceback: { Lines: lines, LogStreamName: stream, Line: 6 },
    LastLines: lines.map((text, index) => ({
      LogStreamName: stream,
      Line: 3 + index,
      Time: FAILED_AT,
      Text: text
    })),
    ExitCode: 1,
    OutOfMemory: false,
    Replayable: true,
    ...changes
  };
}
